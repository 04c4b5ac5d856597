"""Resource limits, usage and priorities (getrlimit(2), getrusage(2), getpriority(2))."""

from struct import Struct

# resources
RLIMIT_CPU = 0
RLIMIT_FSIZE = 1
RLIMIT_DATA = 2
RLIMIT_STACK = 3
RLIMIT_CORE = 4
RLIMIT_RSS = 5
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIMIT_MEMLOCK = 8
RLIMIT_AS = 9
RLIMIT_LOCKS = 10
RLIMIT_SIGPENDING = 11
RLIMIT_MSGQUEUE = 12
RLIMIT_NICE = 13
RLIMIT_RTPRIO = 14
RLIMIT_RTTIME = 15

# getrusage(2)
RUSAGE_CHILDREN = -1
RUSAGE_SELF = 0
RUSAGE_LWP = 1
RUSAGE_THREAD = 1

# getpriority(2)
PRIO_MIN = -20
PRIO_PROCESS = 0
PRIO_PGRP = 1
PRIO_USER = 2
PRIO_MAX = 20

RLIM_NLIMITS = 16
RLIM_INFINITY = 0xFFFFFFFFFFFFFFFF
#: struct rlimit, struct rlimit64: cur max
RLIMIT = Struct("<QQ")
#: struct rusage: utime(s, us) stime(s, us) maxrss ixrss idrss isrss minflt majflt nswap inblock oublock msgsnd msgrcv nsignals
#: nvcsw nivcsw
RUSAGE = Struct("<18q")
