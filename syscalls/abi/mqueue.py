"""POSIX message queues (linux/mqueue.h)."""

from struct import Struct

MQ_PRIO_MAX = 32768
HARD_MSGMAX = 65536
HARD_MSGSIZEMAX = 16 << 20
MQUEUE_MAGIC = 0x19800202
#: flags, maxmsg, msgsize, curmsgs
MQ_ATTR = Struct("<qqqq32x")
