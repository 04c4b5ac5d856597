exec /usr/bin/python3 - "$H" <<'END'
import socket, sys, threading
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 7000))
def echo():
    while True:
        data, peer = udp.recvfrom(65536)
        udp.sendto(data[::-1], peer)
threading.Thread(target=echo, daemon=True).start()
tcp = socket.socket(family)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind((sys.argv[1], 7000))
tcp.listen()
while True:
    tcp.accept()[0].close()
END
