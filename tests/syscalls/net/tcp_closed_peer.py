# guest:
"""send(2) to a TCP peer that has closed: what is sent before the reset comes back, and the error after it."""

import errno
import select
import socket


def connected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    return client, accepted


for size in (1, 1000, 100_000, 8 << 20):
    for is_blocking in (True, False):
        client, accepted = connected()
        accepted.close()
        client.setblocking(is_blocking)
        sent = client.send(b"x" * size)
        poll = select.poll()
        poll.register(client, select.POLLRDHUP)
        while not poll.poll()[0][1] & select.POLLHUP:
            pass
        try:
            client.send(b"x")
        except OSError as error:
            print(size, is_blocking, sent == size, 0 < sent < 1 << 20, errno.errorcode[error.errno])
        client.close()
