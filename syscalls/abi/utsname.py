"""uname(2)."""

from struct import Struct

#: struct new_utsname: sysname nodename release version machine domainname
UTSNAME = Struct("65s65s65s65s65s65s")
HOST_NAME_MAX = 64
