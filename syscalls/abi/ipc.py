"""System V IPC: commands, flags and structures of x86-64 (linux/ipc.h, sem.h, msg.h, shm.h, asm/ipcbuf.h, asm/sembuf.h)."""

from struct import Struct

IPC_PRIVATE = 0
IPC_CREAT = 0o1000
IPC_EXCL = 0o2000
IPC_NOWAIT = 0o4000

IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
IPC_INFO = 3

# semctl(2)
GETPID = 11
GETVAL = 12
GETALL = 13
GETNCNT = 14
GETZCNT = 15
SETVAL = 16
SETALL = 17
SEM_STAT = 18
SEM_INFO = 19
SEM_STAT_ANY = 20
# semop(2)
SEM_UNDO = 0x1000
SEMVMX = 32767
SEMAEM = SEMVMX

# msgctl(2), msgrcv(2)
MSG_STAT = 11
MSG_INFO = 12
MSG_STAT_ANY = 13
MSG_NOERROR = 0o10000
MSG_EXCEPT = 0o20000
MSG_COPY = 0o40000

# shmctl(2), shmat(2)
SHM_LOCK = 11
SHM_UNLOCK = 12
SHM_STAT = 13
SHM_INFO = 14
SHM_STAT_ANY = 15
SHM_RDONLY = 0o10000
SHM_RND = 0o20000
SHM_REMAP = 0o40000
SHM_EXEC = 0o100000
SHM_HUGETLB = 0o4000
SHM_HUGE_SHIFT = 26
SHM_NORESERVE = 0o10000
SHM_DEST = 0o1000
SHM_LOCKED = 0o2000
SHMLBA = 4096

#: key, uid, gid, cuid, cgid, mode, seq
IPC64_PERM = "iIIIIIHxxxxxx16x"
SEMBUF = Struct("<hhh")
#: otime, ctime, nsems
SEMID64_DS = Struct(f"<{IPC64_PERM}q8xq8xQ16x")
#: stime, rtime, ctime, cbytes, qnum, qbytes, lspid, lrpid
MSQID64_DS = Struct(f"<{IPC64_PERM}qqqQQQii16x")
#: segsz, atime, dtime, ctime, cpid, lpid, nattch
SHMID64_DS = Struct(f"<{IPC64_PERM}QqqqiiQ16x")
#: semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem
SEMINFO = Struct("<10i")
#: msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql, msgseg
MSGINFO = Struct("<7iHxx")
#: shmmax, shmmin, shmmni, shmseg, shmall
SHMINFO64 = Struct("<5Q32x")
#: used_ids, shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes
SHM_INFO_DS = Struct("<i4x5Q")

assert (SEMID64_DS.size, MSQID64_DS.size, SHMID64_DS.size) == (104, 120, 112)
