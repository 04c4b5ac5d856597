"""Linux AIO (linux/aio_abi.h)."""

from struct import Struct

IOCB_CMD_PREAD = 0
IOCB_CMD_PWRITE = 1
IOCB_CMD_FSYNC = 2
IOCB_CMD_FDSYNC = 3
IOCB_CMD_POLL = 5
IOCB_CMD_NOOP = 6
IOCB_CMD_PREADV = 7
IOCB_CMD_PWRITEV = 8
IOCB_FLAG_RESFD = 1
IOCB_FLAG_IOPRIO = 2

#: data, key, rw_flags, opcode, reqprio, fildes, buf, nbytes, offset, reserved2, flags, resfd
IOCB = Struct("<QIIHhIQQqQII")
#: data, obj, res, res2
IO_EVENT = Struct("<QQqq")
#: struct __aio_sigset: sigmask, sigsetsize
AIO_SIGSET = Struct("<QQ")
AIO_MAX_NR = 65536
KIOCB_KEY = 0
KIOCB_KEY_OFFSET = 8

assert IOCB.size == 64
