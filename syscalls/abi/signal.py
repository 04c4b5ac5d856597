"""Signal numbers, sigaction flags, si_code values and the structures of signal(7), x86-64 values."""

from struct import Struct

# signals (SIGRTMIN is the kernel's; libc keeps 32 and 33 for itself)
SIGHUP = 1
SIGINT = 2
SIGQUIT = 3
SIGILL = 4
SIGTRAP = 5
SIGABRT = 6
SIGIOT = 6
SIGBUS = 7
SIGFPE = 8
SIGKILL = 9
SIGUSR1 = 10
SIGSEGV = 11
SIGUSR2 = 12
SIGPIPE = 13
SIGALRM = 14
SIGTERM = 15
SIGSTKFLT = 16
SIGCHLD = 17
SIGCONT = 18
SIGSTOP = 19
SIGTSTP = 20
SIGTTIN = 21
SIGTTOU = 22
SIGURG = 23
SIGXCPU = 24
SIGXFSZ = 25
SIGVTALRM = 26
SIGPROF = 27
SIGWINCH = 28
SIGIO = 29
SIGPOLL = 29
SIGPWR = 30
SIGSYS = 31
SIGRTMIN = 32
SIGRTMAX = 64

# rt_sigprocmask(2), dispositions
SIG_BLOCK = 0
SIG_DFL = 0
SIG_IGN = 1
SIG_UNBLOCK = 1
SIG_SETMASK = 2

# sigaction(2)
SA_NOCLDSTOP = 1
SA_NOCLDWAIT = 2
SA_SIGINFO = 4
SA_RESTORER = 0x4000000
SA_ONSTACK = 0x8000000
SA_RESTART = 0x10000000
SA_INTERRUPT = 0x20000000
SA_NODEFER = 0x40000000
SA_RESETHAND = 0x80000000

# sigaltstack(2)
SS_ONSTACK = 1
SS_DISABLE = 2
SS_AUTODISARM = 0x80000000

# signalfd(2)
SFD_NONBLOCK = 0o4000
SFD_CLOEXEC = 0o2000000

# si_code: where it comes from
SI_ASYNCNL = -60
SI_DETHREAD = -7
SI_TKILL = -6
SI_SIGIO = -5
SI_ASYNCIO = -4
SI_MESGQ = -3
SI_TIMER = -2
SI_QUEUE = -1
SI_USER = 0
SI_KERNEL = 128

# si_code of SIGCHLD, SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGIO
BUS_ADRALN = 1
CLD_EXITED = 1
FPE_INTDIV = 1
ILL_ILLOPC = 1
POLL_IN = 1
SEGV_MAPERR = 1
BUS_ADRERR = 2
CLD_KILLED = 2
FPE_INTOVF = 2
ILL_ILLOPN = 2
POLL_OUT = 2
SEGV_ACCERR = 2
BUS_OBJERR = 3
CLD_DUMPED = 3
FPE_FLTDIV = 3
ILL_ILLADR = 3
POLL_MSG = 3
SEGV_BNDERR = 3
CLD_TRAPPED = 4
FPE_FLTOVF = 4
ILL_ILLTRP = 4
POLL_ERR = 4
SEGV_PKUERR = 4
CLD_STOPPED = 5
FPE_FLTUND = 5
ILL_PRVOPC = 5
POLL_PRI = 5
SEGV_ACCADI = 5
CLD_CONTINUED = 6
FPE_FLTRES = 6
ILL_PRVREG = 6
POLL_HUP = 6
SEGV_ADIDERR = 6
FPE_FLTINV = 7
ILL_COPROC = 7
SEGV_ADIPERR = 7
FPE_FLTSUB = 8
ILL_BADSTK = 8
SEGV_MTEAERR = 8
ILL_BADIADDR = 9
SEGV_MTESERR = 9
FPE_FLTUNK = 14
FPE_CONDTRAP = 15

# sigevent(7)
SIGEV_SIGNAL = 0
SIGEV_NONE = 1
SIGEV_THREAD = 2
SIGEV_THREAD_ID = 4

NSIG = 64
#: struct sigaction of the system call: handler flags restorer mask
SIGACTION = Struct("<QQQQ")
#: stack_t: ss_sp ss_flags ss_size
SIGALTSTACK = Struct("<Qi4xQ")
#: head of siginfo_t as kill(2) fills it: si_signo si_errno si_code si_pid si_uid si_value
SIGINFO = Struct("<iii4xiIQ96x")
#: struct sigevent: sigev_value sigev_signo sigev_notify sigev_notify_thread_id
SIGEVENT = Struct("<Qiii44x")
#: struct signalfd_siginfo: signo errno code pid uid fd tid band overrun trapno status int ptr utime stime addr
SIGNALFD_SIGINFO = Struct("<IiiIIiIIIIiiQQQQ48x")

_NAMES = {
    value: word
    for word, value in list(globals().items())
    if word.startswith("SIG") and type(value) is int and "_" not in word and word not in ("SIGIOT", "SIGPOLL", "SIGRTMAX")
}


def name(signal: int) -> str:
    """Return ``SIGINT``, ``SIGRT_3`` or the number as text."""
    if signal > SIGRTMIN:
        return f"SIGRT_{signal - SIGRTMIN}"
    return _NAMES.get(signal) or str(signal)
