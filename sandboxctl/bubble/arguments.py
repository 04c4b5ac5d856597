"""The command line of bwrap(1): options up to the command, each acted on as it is met, as bubblewrap does.

Names, order and error texts are those of bubblewrap 0.8 (its man page, and what it prints); tests compare with the program.
"""

import os
from collections.abc import Callable, Sequence

from sandboxctl.bubble.wishes import BubbleError, Step, Wishes
from sandboxctl.errors import OptionError

ARGUMENTS_MAX = 9000
_FILE_MAX = 1 << 20
_ID_MAX = (1 << 31) - 1
_NUMBERS = {1: "an argument", 2: "two arguments"}
_ONE = {"--chdir", "--remount-ro"}  # "takes one argument"
NAMESPACES = ("user", "ipc", "pid", "net", "uts", "cgroup")

#: what bubblewrap can and we do not, with the reason
REFUSED = {
    "--userns": "a user namespace of the host cannot be joined: the sandbox has a kernel of its own",
    "--userns2": "a user namespace of the host cannot be joined: the sandbox has a kernel of its own",
    "--pidns": "a pid namespace of the host cannot be joined: the sandbox has a kernel of its own",
    "--userns-block-fd": "there is no user namespace of the host whose maps somebody could write; leave it out",
    "--lock-file": "locks hold within a sandbox only, nobody outside would see it; use flock(1) around sandboxctl do",
    "--bind-fd": "give the path instead: --bind /proc/self/fd/N DEST",
    "--ro-bind-fd": "give the path instead: --ro-bind /proc/self/fd/N DEST",
}
Act = Callable[["Parser", list[str]], None]


class Parser:
    """Reads one command line into ``wishes``. Raises BubbleError for what bwrap would not take either, OptionError."""

    def __init__(self) -> None:
        self.wishes = Wishes()
        self._mode: int | None = None
        self._size = 0
        self._count = 0
        self._given: set[str] = set()
        self.seccomp_option = ""

    def parse(self, words: Sequence[str]) -> Wishes:
        """Return what the words mean; those behind the options are the command."""
        wishes = self.wishes
        wishes.command = list(self._options(list(words), is_nested=False))
        if not wishes.command:
            raise BubbleError("no command given; for example: sandboxctl do --ro-bind / / -- ls")
        if os.getuid() != 0:
            wishes.unshared.add("user")
        if "user" not in wishes.unshared:
            for name, value, own in (("uid", wishes.uid, os.getuid()), ("gid", wishes.gid, os.getgid())):
                if value not in {None, own}:
                    raise BubbleError(f"Specifying --{name} requires --unshare-user or --userns")
        for name, value, own in (("uid", wishes.uid, os.getuid()), ("gid", wishes.gid, os.getgid())):
            if value not in {None, own}:
                raise OptionError(f"--{name} {value} is refused: the host's files keep their owners here; leave it out")
        if wishes.hostname is not None and "uts" not in wishes.unshared:
            raise BubbleError("Specifying --hostname requires --unshare-uts")
        if wishes.is_first and "pid" not in wishes.unshared:
            raise BubbleError("Specifying --as-pid-1 requires --unshare-pid")
        return wishes

    def _options(self, words: list[str], *, is_nested: bool) -> list[str]:
        """Act on the options; returns the words behind them."""
        while words and words[0].startswith("-"):
            option = words.pop(0)
            self._count += 1
            if self._count > ARGUMENTS_MAX:
                raise BubbleError(f"Exceeded maximum number of arguments {ARGUMENTS_MAX}")
            if option == "--":
                break
            if option == "--args":
                if is_nested:
                    raise BubbleError("--args not supported in arguments file")
                texts = self._read(_descriptor(_taken(option, words, 1)[0]), "--args").split(b"\0")
                self._options([os.fsdecode(text) for text in texts[:-1]], is_nested=True)  # a command in it counts for nothing
                continue
            self._one(option, words)
        return words

    def _one(self, option: str, words: list[str]) -> None:
        if option in REFUSED:
            raise OptionError(f"{option} is refused: {REFUSED[option]}")
        if option in {"--exec-label", "--file-label"}:
            raise BubbleError("labeling not supported on this system")
        try:
            count, act = _OPTIONS[option]
        except KeyError:
            raise BubbleError(f"Unknown option {option}") from None
        act(self, [option, *_taken(option, words, count)])

    def step(self, kind: str, destination: str, *, makes: bool, mode: int = 0, **values: object) -> None:
        """One more step; ``makes``: --perms may stand before it."""
        if self._mode is not None and not makes:
            raise BubbleError("--perms must be followed by an option that creates a file")
        if self._size and kind != "tmpfs":
            raise BubbleError("--size must be followed by --tmpfs")
        used = mode if self._mode is None else self._mode
        size, self._mode, self._size = self._size, None, 0
        self.wishes.steps.append(Step(kind, _clean(destination), mode=used, size=size, **values))  # type: ignore[arg-type]

    def perms(self, text: str) -> None:
        """``--perms``: for the next step."""
        self._mode = _octal(text, "--perms")

    def size(self, text: str) -> None:
        """``--size``: for the next step."""
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 63):
            raise BubbleError("--size takes a non-zero number of bytes")
        self._size = int(text)

    def once(self, option: str) -> None:
        """bubblewrap says that only the last of these counts."""
        if option in self._given:
            self.wishes.warnings.append(f"Only the last {option} option will take effect")
        self._given.add(option)

    @staticmethod
    def _read(number: int, option: str) -> bytes:
        try:
            with open(number, "rb") as file:
                data = file.read(_FILE_MAX + 1)
        except OSError as error:
            raise BubbleError(f"Can't read {option} data: {error.strerror}") from None
        if len(data) > _FILE_MAX:
            raise OptionError(f"{option}: more than {_FILE_MAX >> 20} MiB")
        return data if data.endswith(b"\0") or not data else data + b"\0"


def _taken(option: str, words: list[str], count: int) -> list[str]:
    if len(words) < count:
        raise BubbleError(f"{option} takes {'one argument' if option in _ONE else _NUMBERS[count]}")
    taken = words[:count]
    del words[:count]
    return taken


def _clean(path: str) -> str:
    """As bubblewrap sees it: below the new root, whatever it begins with; ``..`` leads no further than that."""
    return os.path.normpath(f"/{path.lstrip('/')}")


def _octal(text: str, option: str) -> int:
    if not text or set(text) - set("01234567") or int(text, 8) > 0o7777:
        raise BubbleError(f"{option} takes an octal argument <= 07777")
    return int(text, 8)


def _descriptor(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _ID_MAX):
        raise BubbleError(f"Invalid fd: {text}")
    return int(text)


def _bind(parser: Parser, words: list[str]) -> None:
    option, source, destination = words
    parser.step(
        "bind", destination, makes=False, source=source, read_only=option.startswith("--ro-"),
        may_be_missing=option.endswith("-try"), allows_devices=option.startswith("--dev-"),
    )  # fmt: skip


def _mount(parser: Parser, words: list[str]) -> None:
    parser.step(words[0][2:], words[1], makes=False)


def _tmpfs(parser: Parser, words: list[str]) -> None:
    parser.step("tmpfs", words[1], makes=True, mode=0o755)


def _dir(parser: Parser, words: list[str]) -> None:
    parser.step("dir", words[1], makes=True, mode=0o755)


def _file(parser: Parser, words: list[str]) -> None:
    kind, is_bound = words[0].removeprefix("--ro-").removeprefix("--"), words[0] != "--file"
    mode = 0o600 if is_bound else 0o666
    parser.step(kind, words[2], makes=True, mode=mode, number=_descriptor(words[1]), read_only=words[0].startswith("--ro-"))


def _symlink(parser: Parser, words: list[str]) -> None:
    parser.step("symlink", words[2], makes=False, source=words[1])


def _chmod(parser: Parser, words: list[str]) -> None:
    mode = _octal(words[1], "--chmod")
    parser.step("chmod", words[2], makes=False, mode=mode)


def _unshare(parser: Parser, words: list[str]) -> None:
    name = words[0].removeprefix("--unshare-").removesuffix("-try")
    parser.wishes.unshared.update(NAMESPACES if name == "all" else (name,))


def _share_net(parser: Parser, _words: list[str]) -> None:
    parser.wishes.keeps_net = True


def _setenv(parser: Parser, words: list[str]) -> None:
    _, name, value = words
    if not name or "=" in name:
        raise BubbleError("setenv failed")
    parser.wishes.environment[name] = value


def _unsetenv(parser: Parser, words: list[str]) -> None:
    if not words[1] or "=" in words[1]:
        raise BubbleError("unsetenv failed")
    parser.wishes.environment.pop(words[1], None)


def _clearenv(parser: Parser, _words: list[str]) -> None:
    parser.wishes.environment.clear()


def _text(name: str) -> Act:
    def act(parser: Parser, words: list[str]) -> None:
        parser.once(words[0])
        setattr(parser.wishes, name, words[1])

    return act


def _id(name: str) -> Act:
    def act(parser: Parser, words: list[str]) -> None:
        text = words[1]
        if not (text.isascii() and text.isdigit() and int(text) <= _ID_MAX):
            raise BubbleError(f"Invalid {name}: {text}")
        parser.once(words[0])
        setattr(parser.wishes, name, int(text))

    return act


def _flag(name: str) -> Act:
    return lambda parser, _words: setattr(parser.wishes, name, True)


def _number(name: str) -> Act:
    def act(parser: Parser, words: list[str]) -> None:
        parser.once(words[0])
        setattr(parser.wishes, name, _descriptor(words[1]))

    return act


def _sync(parser: Parser, words: list[str]) -> None:
    parser.wishes.kept_fds.append(_descriptor(words[1]))


def _capability(parser: Parser, words: list[str]) -> None:
    from syscalls.abi import capability

    option, text = words
    name = text.upper()
    mask = capability.ALL_CAPABILITIES
    if name != "ALL":
        number = getattr(capability, name, None) if name.startswith("CAP_") and name != "CAP_LAST_CAP" else None
        if not isinstance(number, int):
            raise BubbleError(f"unknown cap: {text}")
        mask = 1 << number
    parser.wishes.capabilities.append((option == "--cap-add", mask))


def _seccomp(parser: Parser, words: list[str]) -> None:
    option, text = words
    number, given = _descriptor(text), parser.wishes.seccomp_fd
    if given >= 0:
        if parser.seccomp_option != option:
            raise BubbleError(f"{option} cannot be combined with {parser.seccomp_option}")
        if option == "--add-seccomp-fd":
            raise OptionError("--add-seccomp-fd is refused a second time: one filter is put on; give one with all rules")
    parser.once(option)
    parser.seccomp_option, parser.wishes.seccomp_fd = option, number


def _assert(_parser: Parser, _words: list[str]) -> None:
    """``--disable-userns`` and ``--assert-userns-disabled``: there never are any (unshare(2) and clone(2) give EPERM)."""


_OPTIONS: dict[str, tuple[int, Act]] = {
    **{f"--{prefix}bind{suffix}": (2, _bind) for prefix in ("", "ro-", "dev-") for suffix in ("", "-try")},
    "--proc": (1, _mount),
    "--dev": (1, _mount),
    "--mqueue": (1, _mount),
    "--remount-ro": (1, _mount),
    "--tmpfs": (1, _tmpfs),
    "--dir": (1, _dir),
    "--file": (2, _file),
    "--bind-data": (2, _file),
    "--ro-bind-data": (2, _file),
    "--symlink": (2, _symlink),
    "--chmod": (2, _chmod),
    "--perms": (1, lambda parser, words: parser.perms(words[1])),
    "--size": (1, lambda parser, words: parser.size(words[1])),
    "--unshare-all": (0, _unshare),
    **{f"--unshare-{name}": (0, _unshare) for name in (*NAMESPACES, "user-try", "cgroup-try")},
    "--share-net": (0, _share_net),
    "--disable-userns": (0, _assert),
    "--assert-userns-disabled": (0, _assert),
    "--chdir": (1, _text("chdir")),
    "--hostname": (1, _text("hostname")),
    "--uid": (1, _id("uid")),
    "--gid": (1, _id("gid")),
    "--setenv": (2, _setenv),
    "--unsetenv": (1, _unsetenv),
    "--clearenv": (0, _clearenv),
    "--cap-add": (1, _capability),
    "--cap-drop": (1, _capability),
    "--seccomp": (1, _seccomp),
    "--add-seccomp-fd": (1, _seccomp),
    "--new-session": (0, _flag("is_new_session")),
    "--die-with-parent": (0, _flag("dies_with_parent")),
    "--as-pid-1": (0, _flag("is_first")),
    "--sync-fd": (1, _sync),
    "--block-fd": (1, _number("block_fd")),
    "--info-fd": (1, _number("info_fd")),
    "--json-status-fd": (1, _number("status_fd")),
}
