"""File modes, statx(2) bits and the structures of stat(2), statx(2), statfs(2) and getdents64(2), x86-64 layout."""

from struct import Struct

# st_mode
S_IXOTH = 1
S_IWOTH = 2
S_IROTH = 4
S_IRWXO = 7
S_IXGRP = 0o10
S_IWGRP = 0o20
S_IRGRP = 0o40
S_IRWXG = 0o70
S_IXUSR = 0o100
S_IWUSR = 0o200
S_IRUSR = 0o400
S_IRWXU = 0o700
S_ISVTX = 0o1000
S_ISGID = 0o2000
S_ISUID = 0o4000
S_IFIFO = 0o10000
S_IFCHR = 0o20000
S_IFDIR = 0o40000
S_IFBLK = 0o60000
S_IFREG = 0o100000
S_IFLNK = 0o120000
S_IFSOCK = 0o140000
S_IFMT = 0o170000

# stx_attributes
STATX_ATTR_COMPRESSED = 4
STATX_ATTR_IMMUTABLE = 0x10
STATX_ATTR_APPEND = 0x20
STATX_ATTR_NODUMP = 0x40
STATX_ATTR_ENCRYPTED = 0x800
STATX_ATTR_AUTOMOUNT = 0x1000
STATX_ATTR_MOUNT_ROOT = 0x2000
STATX_ATTR_VERITY = 0x100000
STATX_ATTR_DAX = 0x200000

# stx_mask
STATX_TYPE = 1
STATX_MODE = 2
STATX_NLINK = 4
STATX_UID = 8
STATX_GID = 0x10
STATX_ATIME = 0x20
STATX_MTIME = 0x40
STATX_CTIME = 0x80
STATX_INO = 0x100
STATX_SIZE = 0x200
STATX_BLOCKS = 0x400
STATX_BASIC_STATS = 0x7FF
STATX_BTIME = 0x800
STATX_ALL = 0xFFF
STATX_MNT_ID = 0x1000
STATX_MNT_ID_UNIQUE = 0x4000
STATX_DIOALIGN = 0x2000

# d_type
DT_UNKNOWN = 0
DT_FIFO = 1
DT_CHR = 2
DT_DIR = 4
DT_BLK = 6
DT_REG = 8
DT_LNK = 10
DT_SOCK = 12
DT_WHT = 14

# utimensat(2)
UTIME_OMIT = 0x3FFFFFFE
UTIME_NOW = 0x3FFFFFFF

# f_flags of statfs(2)
ST_RDONLY = 1
ST_NOSUID = 2
ST_NODEV = 4
ST_NOEXEC = 8
ST_SYNCHRONOUS = 0x10
ST_VALID = 0x20
ST_NOATIME = 0x400
ST_NODIRATIME = 0x800
ST_RELATIME = 0x1000
ST_NOSYMFOLLOW = 0x2000

#: struct stat: dev ino nlink mode uid gid rdev size blksize blocks atime(s, ns) mtime ctime
STAT = Struct("<QQQIII4xQqqqqqqqqq24x")
#: struct statx: mask blksize attributes nlink uid gid mode ino size blocks attributes_mask, four times (s, ns): atime btime
#: ctime mtime, rdev_major rdev_minor dev_major dev_minor mnt_id dio_mem_align dio_offset_align
STATX = Struct("<IIQIIIH2xQQQQqI4xqI4xqI4xqI4xIIIIQII96x")
#: struct statfs: type bsize blocks bfree bavail files ffree fsid namelen frsize flags
STATFS = Struct("<qqQQQQQQqqq32x")
#: fixed part of struct linux_dirent64: d_ino d_off d_reclen d_type; then d_name, NUL, padding to 8
DIRENT64 = Struct("<QqHB")
#: fixed part of struct linux_dirent: d_ino d_off d_reclen; then d_name, NUL, padding, d_type in the last byte
DIRENT = Struct("<QQH")
