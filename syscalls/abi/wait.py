"""wait4(2) and waitid(2)."""

# options
WNOHANG = 1
WSTOPPED = 2
WUNTRACED = 2
WEXITED = 4
WCONTINUED = 8
WNOWAIT = 0x1000000

# clone options
__WNOTHREAD = 0x20000000
__WALL = 0x40000000
__WCLONE = 0x80000000

# waitid(2) idtype
P_ALL = 0
P_PID = 1
P_PGID = 2
P_PIDFD = 3
