"""The attribute record: what statx(2) tells of one object, 88 bytes (``struct gofer_attr`` in gofer/_sys/native.h)."""

from struct import Struct

#: ino mode nlink uid gid size blocks blksize rdev dev atime mtime ctime btime; times in nanoseconds, rdev as Linux encodes it
ATTR = Struct("<QIIIIQQIIQqqqq")
ATTR_SIZE = ATTR.size

STEP_TAIL = Struct("<IIBH")  # node and watch (0 unless a directory), flags, length of the link text that follows
NODE_HEAD = Struct("<II")  # node and watch of a directory, before its attributes
ENTRY_TAIL = Struct("<HBB")  # length of the link text, length of the name, flags; name and link text follow
STEP_SIZE = ATTR_SIZE + STEP_TAIL.size
ENTRY_SIZE = ATTR_SIZE + ENTRY_TAIL.size

FLAG_VEILED = 1  # looks empty: hidden, or a kernel file system of the host
FLAG_PARTIAL = 2  # only the type and the inode number are known: the folder may be listed but not searched
