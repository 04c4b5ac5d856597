# Ordinary allocation patterns: large lists, mmap objects, fork with copy-on-write.
import mmap
import os

data = bytearray(64 << 20)
data[::4096] = b"x" * (len(data) // 4096)
print("touched", data.count(b"x"))
shared = mmap.mmap(-1, 1 << 20)
pid = os.fork()
if pid == 0:
    shared[:5] = b"child"
    data[0] = 0
    os._exit(0)
print("status", os.waitpid(pid, 0)[1], shared[:5], data[0])
with open("file", "wb+") as file:
    file.truncate(1 << 20)
    with mmap.mmap(file.fileno(), 0) as view:
        view[1000:1004] = b"data"
        view.flush()
    file.seek(1000)
    print(file.read(4))
blocks = [bytes(100_000) for _ in range(300)]
print(sum(map(len, blocks)))
del blocks, data
print("done")
