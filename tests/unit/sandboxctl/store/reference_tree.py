"""Layers applied the slow and obvious way: a dictionary of paths. What ours is compared with."""

import tarfile


def apply(layers):
    """Path to (type, mode, uid, gid, mtime, contents or link or None); hard links share one list."""
    tree = {"": ["dir", 0o755, 0, 0, 0, None]}
    for members in layers:
        for info, _ in members:
            head, _, name = info.name.rpartition("/")
            if name == ".wh..wh..opq":
                drop(tree, head, itself=False)
            elif name.startswith(".wh."):
                drop(tree, f"{head}/{name[4:]}".lstrip("/"), itself=True)
        for info, data in members:
            name = "" if info.name == "." else info.name
            if name.rpartition("/")[2].startswith(".wh."):
                continue
            parts = name.split("/")
            for depth in range(1, len(parts)):
                tree.setdefault("/".join(parts[:depth]), ["dir", 0o755, 0, 0, 0, None])
            if info.type == tarfile.LNKTYPE:
                drop(tree, name, itself=True)
                tree[name] = tree[info.linkname]
                continue
            if not (info.isdir() and name in tree and tree[name][0] == "dir"):
                drop(tree, name, itself=True)
            kind = {tarfile.DIRTYPE: "dir", tarfile.REGTYPE: "file", tarfile.SYMTYPE: "link", tarfile.FIFOTYPE: "fifo"}[info.type]
            value = data if kind == "file" else info.linkname if kind == "link" else None
            tree[name] = [kind, info.mode, info.uid, info.gid, info.mtime, value]
    return tree


def drop(tree, path, *, itself):
    for name in [name for name in tree if name.startswith(path + "/") or (path == "" and name)]:
        del tree[name]
    if itself:
        tree.pop(path, None)


def read(content):
    """The same form, of an image in our store."""
    index = content.index
    found = {}
    numbers = {}

    def visit(path, ino):
        record = index.record(ino)
        kind = {0o040000: "dir", 0o100000: "file", 0o120000: "link", 0o010000: "fifo"}[record.mode & 0o170000]
        value = index.text(record).decode() if kind == "link" else content.read(record, record.size) if kind == "file" else None
        found[path] = [kind, record.mode & 0o7777, record.uid, record.gid, record.mtime_ns // 10**9, value]
        numbers.setdefault(ino, []).append(path)
        if kind == "dir":
            names = [name for name, _, _ in index.entries(record.where, record.length)]
            assert names == sorted(names)
            for name, child, _ in index.entries(record.where, record.length):
                assert index.find(record.where, record.length, name) == child
                visit(f"{path}/{name.decode()}".lstrip("/"), child)
            assert index.find(record.where, record.length, b"no such name") == 0
        else:
            assert record.nlink >= 1

    visit("", 1)
    for ino, paths in numbers.items():
        if index.record(ino).mode & 0o170000 != 0o040000:
            assert index.record(ino).nlink == len(paths)
    return found
