"""What a stacked overlay does in the folders of one layer."""

from sentry.fs.stacked import layer
from sentry.vfs import namespace as ns
from syscalls.abi import fcntl as f
from tests.unit.sentry.vfs.world import World, run, write

CWD = f.AT_FDCWD


def test_a_folder_is_emptied_to_the_last_name():
    world = World()
    for path in (b"/d", b"/d/left", b"/d/left/deep"):
        run(ns.mkdir_at(world.task, CWD, path, 0o755))
    file = run(ns.open_at(world.task, CWD, b"/d/left/deep/copy", f.O_CREAT | f.O_WRONLY, 0o644)).acquire()
    write(file, b"half of it")
    file.release()
    cache, folder = world.mounts.cache, run(ns.resolve(world.task, CWD, b"/d")).dentry
    run(layer.whiteout(cache, folder, b"hidden"))
    child = run(layer.child_of(cache, folder, b"hidden"))
    assert child is not None
    assert layer.is_whiteout(layer.inode_at(child))
    run(layer.empty(cache, folder))
    assert list(run(layer.inode_at(folder).read_children())) == []
    assert run(layer.child_of(cache, folder, b"left")) is None
    assert world.root_fs.root.attr.nlink == 3
