"""Signal dispositions, masks, frames and synchronous waiting: the host kernel's own, on the guest's own memory."""

from syscalls.registry import native

native("rt_sigaction", "sigaction(2)", "sets the process's own dispositions")
native("rt_sigprocmask", "sigprocmask(2)", "sets the thread's own mask")
native("rt_sigreturn", "sigreturn(2)", "restores the registers that a signal frame has saved")
native("rt_sigpending", "sigpending(2)", "reads the thread's own pending signals")
native("rt_sigsuspend", "sigsuspend(2)", "waits for a signal under a mask")
native("rt_sigtimedwait", "sigwaitinfo(2)", "takes one of the thread's own pending signals")
native("sigaltstack", "sigaltstack(2)", "names a stack in the process's own memory")
native("pause", "pause(2)", "waits for a signal")
native("restart_syscall", "restart_syscall(2)", "goes on with an interrupted native sleep")
