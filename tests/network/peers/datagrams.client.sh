listening 7000
ping -c 3 -i 0.1 -W 20 "$H" | grep -o '3 packets transmitted, 3 received'
ping -c 2 -i 0.1 -W 20 -s 8000 "$H" | grep -o '2 packets transmitted, 2 received'
/usr/bin/python3 - "$H" <<'END'
import os, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
out = socket.socket(family, socket.SOCK_DGRAM)
out.settimeout(5)
def ask(size):
    data = os.urandom(size)
    for _ in range(20):  # datagrams may be lost
        try:
            out.sendto(data, (sys.argv[1], 7000))
            if out.recv(65536) == data[::-1]:
                return True
        except TimeoutError:
            pass
    return False
print([size for size in (0, 1, 1472, 1473, 9000, 40_000, 65_000) if not ask(size)])
out.connect((sys.argv[1], 9))
out.send(b"to nobody")
try:
    out.recv(10)
except ConnectionRefusedError:
    print("refused")
END
