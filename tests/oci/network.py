"""Under ``unshare -n``: a container of podman in a network namespace with a veth pair to this one.

``python -m tests.oci.network FOLDER PODMAN...`` runs it over the root file system FOLDER, and prints what both sides saw.
"""

import socket
import subprocess
import sys
import threading

from tests.network.namespace import PATIENCE, connect_them, second_namespace, shown

PROGRAM = """
ip -o addr show dev eth0 | sed 's/.*inet6* //; s/ .*//'; ip route | head -1
echo question | nc 10.9.2.1 7000
echo welcome | nc -l -p 8080
"""


def answer(server):
    """Answer one line, then come back as a client once the container listens."""
    end, peer = server.accept()
    with end:
        print(peer[0], end.makefile("rb").readline().decode().strip(), flush=True)
        end.sendall(b"answer\n")
    while True:
        with socket.socket() as client:
            if client.connect_ex(("10.9.2.2", 8080)) == 0:
                client.settimeout(PATIENCE)
                print("client read", client.makefile("rb").readline().decode().strip(), flush=True)
                return


def main():
    """Print what happens."""
    rootfs, *podman = sys.argv[1:]
    with second_namespace() as namespace, socket.socket() as server:
        connect_them(namespace)
        before = shown(namespace)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("10.9.2.1", 7000))
        server.listen()
        server.settimeout(PATIENCE)
        client = threading.Thread(target=answer, args=(server,), daemon=True)
        client.start()
        limits = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096")
        words = ["run", "--rm", "--network", f"ns:/proc/{namespace}/ns/net", *limits, "--rootfs", rootfs, "sh", "-c", PROGRAM]
        done = subprocess.run([*podman, *words], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
        client.join(PATIENCE)
        print(done.stdout, end="")
        print("status", done.returncode, "all is put back" if shown(namespace) == before else "something is missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
