"""The operations: number, request fields and reply fields of each, declared once for both sides."""

from gofer.protocol.wire import DATA, I64, IDS, NAME, NAMES, PLACE, REST, TEXT, U8, U16, U32, U64, Kind, decode, encode


class Message:
    """One operation. ``is_write`` operations are refused on a read-only tree; ``is_oneway`` ones have no reply."""

    __slots__ = ("is_oneway", "is_write", "name", "op", "reply", "request")

    def __init__(
        self,
        name: str,
        op: int,
        request: tuple[Kind, ...],
        reply: tuple[Kind, ...],
        *,
        is_write: bool = False,
        is_oneway: bool = False,
    ) -> None:
        self.name = name
        self.op = op
        self.request = request
        self.reply = reply
        self.is_write = is_write
        self.is_oneway = is_oneway

    def encode(self, *values: object) -> bytes:
        """The body of a request."""
        return encode(self.request, values)

    def decode(self, body: bytes, position: int = 0) -> list[object]:
        """The request's fields. Raises: ProtocolError."""
        return decode(self.request, body, position)

    def encode_reply(self, *values: object) -> bytes:
        """The body of a reply."""
        return encode(self.reply, values)

    def decode_reply(self, body: bytes, position: int = 0) -> list[object]:
        """The reply's fields. Raises: ProtocolError."""
        return decode(self.reply, body, position)


# A directory has a node number once a walk, a readdir or a mkdir has reached it. Everything else is named by a place: a
# node and the names below it. REST replies hold attribute records (gofer/protocol/attr.py).
ATTACH = Message("attach", 1, (U16, U8), (U32, U32, U8, REST))  # tree, watch? -> root node, watch, tree flags, attributes
WALK = Message("walk", 2, (PLACE,), (U16, U8, REST))  # -> errno that stopped it, records, records
OPEN = Message("open", 3, (PLACE, U32), (U32, REST))  # place, flags -> open number or 0, attributes; a descriptor or none
READDIR = Message("readdir", 4, (PLACE,), (REST,))  # records; the first frame starts with node, watch, attributes
GETATTR = Message("getattr", 5, (PLACE, U32), (REST,))  # place, or an open number
STATFS = Message("statfs", 6, (PLACE,), (U64, U64, U64, U64, U64, U64, U64, U64))
READ = Message("read", 7, (U32, U64, U32), (REST,))  # open, offset, length
CLOSE = Message("close", 8, (IDS,), (), is_oneway=True)
FORGET = Message("forget", 9, (IDS,), (), is_oneway=True)
GETXATTR = Message("getxattr", 10, (PLACE, TEXT), (REST,))
LISTXATTR = Message("listxattr", 11, (PLACE,), (REST,))  # names, each ended by NUL
FSYNC = Message("fsync", 12, (U32, U8), ())  # open, data only
OPENMANY = Message("openmany", 13, (PLACE, NAMES), (REST,))  # to read -> errno u16 and attributes for each; descriptors
WRITE = Message("write", 20, (U32, I64, DATA), (U32,), is_write=True)  # open, offset (-1 appends), data -> count
SETATTR = Message("setattr", 21, (PLACE, U32, U8, U32, U32, U32, U64, I64, I64), (REST,), is_write=True)
CREATE = Message("create", 22, (PLACE, NAME, U32, U32, U32), (U32, REST), is_write=True)  # mode uid gid -> as open
MKDIR = Message("mkdir", 23, (PLACE, NAME, U32, U32, U32), (U32, U32, REST), is_write=True)  # -> node, watch, attributes
SYMLINK = Message("symlink", 24, (PLACE, NAME, TEXT, U32, U32), (REST,), is_write=True)
LINK = Message("link", 25, (PLACE, PLACE, NAME), (REST,), is_write=True)  # file, folder, name
UNLINK = Message("unlink", 26, (PLACE, NAME), (), is_write=True)
RMDIR = Message("rmdir", 27, (PLACE, NAME), (), is_write=True)
RENAME = Message("rename", 28, (PLACE, NAME, PLACE, NAME, U32, U32), (), is_write=True)  # flags, node of a moved folder
MKNOD = Message("mknod", 29, (PLACE, NAME, U32, U32, U32), (REST,), is_write=True)  # FIFO or socket
SETXATTR = Message("setxattr", 30, (PLACE, TEXT, DATA, U32), (), is_write=True)
REMOVEXATTR = Message("removexattr", 31, (PLACE, TEXT), (), is_write=True)
TMPFILE = Message("tmpfile", 32, (PLACE, U32, U32, U32), (U32, REST), is_write=True)
ALLOCATE = Message("allocate", 33, (U32, U32, U64, U64), (), is_write=True)  # open, mode, offset, length

MESSAGES: dict[int, Message] = {value.op: value for value in list(globals().values()) if isinstance(value, Message)}

# SETATTR's bits: which of the fields mode, uid, gid, size, atime_ns, mtime_ns to set
SET_MODE, SET_UID, SET_GID, SET_SIZE, SET_ATIME, SET_MTIME = 1, 2, 4, 8, 16, 32

# ATTACH's tree flags
TREE_WRITABLE = 1
TREE_REMOTE = 2  # on a network file system: calls may take for ever
TREE_WATCHED = 4  # the reply of ATTACH donates an inotify(7) descriptor; "watch" is the folder's number in its events
OPEN_DONATE = 1 << 31  # OPEN: donate a descriptor even on a remote file system (for a mapping)
