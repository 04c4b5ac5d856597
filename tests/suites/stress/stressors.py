"""stress-ng's stressors (Debian: stress-ng 0.15) by what they exercise."""

PROCESSES = (
    "affinity", "clone", "close", "cyclic", "daemon", "env", "exec", "exit-group", "fork", "forkheavy", "get", "getrandom",
    "kcmp", "loadavg", "mmapfork", "nice", "personality", "pidfd", "poll", "prctl", "procfs", "pthread", "resched", "resources",
    "rlimit", "schedpolicy", "seccomp", "session", "set", "sleep", "spawn", "switch", "sysinfo", "vfork", "vforkmany", "wait",
    "yield", "zombie",
)  # fmt: skip
SIGNALS = (
    "alarm", "bad-altstack", "fault", "fifo", "itimer", "kill", "sigabrt", "sigchld", "sigfd", "sigfpe", "sigio", "signal",
    "signest", "sigpending", "sigpipe", "sigq", "sigrt", "sigsegv", "sigsuspend", "sigtrap", "timer", "timerfd", "clock",
    "nanosleep", "hrtimers",
)  # fmt: skip
MEMORY = (
    "brk", "dev-shm", "madvise", "malloc", "membarrier", "memfd", "mincore", "mlock", "mmap", "mmapaddr", "mmapfixed", "mmapmany",
    "mprotect", "mremap", "msync", "msyncmany", "munmap", "null", "pageswap", "pagemove", "shm", "shm-sysv", "stack", "stackmmap",
    "tmpfs", "vm", "vm-addr", "vm-rw", "vm-segv", "zero",
)  # fmt: skip
WAITING = (
    "futex", "mutex", "sem", "sem-sysv", "mq", "msg", "eventfd", "pipe", "pipeherd", "ring-pipe", "race-sched", "tee", "splice",
    "pty", "inotify", "dnotify",
)  # fmt: skip

ALL = tuple(dict.fromkeys((*PROCESSES, *SIGNALS, *MEMORY, *WAITING)))
SAMPLE = ("futex", "sigq")
