"""The x86-64 system-call convention as the platforms need it, and where the exec stub lies.

Order of arguments: rdi, rsi, rdx, r10, r8, r9; the number in rax (orig_rax in a stop). The stub's addresses are those of
``platform/_core/stub/stub.ld``; a unit test compares them with the built file.
"""

from typing import Final

NR_CLOSE: Final = 3
NR_MMAP: Final = 9
NR_MPROTECT: Final = 10
NR_MUNMAP: Final = 11
NR_RECVMSG: Final = 47
NR_CLONE: Final = 56
NR_RT_SIGACTION: Final = 13
NR_FORK: Final = 57
NR_VFORK: Final = 58
NR_EXECVE: Final = 59
NR_PRCTL: Final = 157
NR_RT_SIGTIMEDWAIT: Final = 128
NR_READ: Final = 0
NR_PPOLL: Final = 271
NR_DUP3: Final = 292
NR_SECCOMP: Final = 317
NR_EXECVEAT: Final = 322
NO_CALL: Final = -1

SYSCALL_INSTRUCTION_LENGTH: Final = 2
PAGE: Final = 4096
ADDRESS_END: Final = 0x7FFFFFFFF000

STUB_CODE_START: Final = 0x7A0000000000
STUB_CODE_END: Final = 0x7A0000001000
STUB_SCRATCH: Final = 0x7A0000010000
STUB_SCRATCH_LENGTH: Final = 0x220000
STUB_END: Final = 0x7A0000300000
#: what the stub reads its load list from: a number that no descriptor can have. The call must be one that any filter around us
#: allows, as that filter's refusal would outrank our notification.
STUB_LOAD_FD: Final = 0x13435442
