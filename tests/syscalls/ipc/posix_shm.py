# POSIX shared memory and semaphores through their files in /dev/shm.
import os
from multiprocessing import shared_memory

block = shared_memory.SharedMemory(create=True, size=10000)
print(os.path.exists("/dev/shm/" + block.name.lstrip("/")))
pid = os.fork()
if pid == 0:
    other = shared_memory.SharedMemory(block.name)
    other.buf[:5] = b"child"
    other.buf[9999] = 7
    os._exit(0)
print(os.waitpid(pid, 0)[1], bytes(block.buf[:5]), block.buf[9999])
block.close()
block.unlink()
print(os.path.exists("/dev/shm/" + block.name.lstrip("/")))
