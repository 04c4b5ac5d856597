# A selector-driven UNIX server with several clients in other processes.
import os
import selectors
import socket

server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind("sock")
server.listen(8)
server.setblocking(False)
children = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        server.close()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("sock")
            client.sendall(b"%d" % number * 30000)
            client.shutdown(socket.SHUT_WR)
            answer = client.makefile("rb").read()
        os._exit(0 if answer == b"%d:30000" % number else 1)
    children.append(pid)

selector = selectors.DefaultSelector()
selector.register(server, selectors.EVENT_READ)
received = {}
done = 0
while done < 5:
    for key, _ in selector.select():
        if key.fileobj is server:
            connection, _ = server.accept()
            connection.setblocking(False)
            received[connection] = b""
            selector.register(connection, selectors.EVENT_READ)
            continue
        data = key.fileobj.recv(4096)
        if data:
            received[key.fileobj] += data
            continue
        text = received[key.fileobj]
        key.fileobj.sendall(b"%s:%d" % (text[:1], len(text)))
        selector.unregister(key.fileobj)
        key.fileobj.close()
        done += 1
print([os.waitpid(pid, 0)[1] for pid in children])
