"""Shared and slave mounts (mount_namespaces(7), "Shared subtrees"): to which mounts an event of one mount goes on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.vfs.mount import Mount


class PeerGroup:
    """Mounts that show each other's events; ``slaves`` hear of them too, but tell nothing back."""

    __slots__ = ("id", "members", "slaves")

    def __init__(self, group_id: int) -> None:
        self.id = group_id
        self.members: list[Mount] = []
        self.slaves: list[Mount] = []


def join(mount: "Mount", group: PeerGroup) -> None:
    """``mount`` becomes a member."""
    mount.peers = group
    group.members.append(mount)


def follow(mount: "Mount", group: PeerGroup) -> None:
    """``mount`` becomes a slave."""
    mount.master = group
    group.slaves.append(mount)


def inherit(twin: "Mount", origin: "Mount") -> None:
    """A clone shares what its origin shares."""
    if origin.peers is not None:
        join(twin, origin.peers)
    if origin.master is not None:
        follow(twin, origin.master)


def make_private(mount: "Mount") -> None:
    """MS_PRIVATE: neither tells nor hears anything. The slaves of a group that is empty now have no master."""
    peers, mount.peers = mount.peers, None
    if peers is not None:
        peers.members.remove(mount)
        if not peers.members:
            _dissolve(peers)
    master, mount.master = mount.master, None
    if master is not None:
        master.slaves.remove(mount)


def make_slave(mount: "Mount") -> None:
    """MS_SLAVE: hears what its peers go on to hear. Nothing changes for a mount that is not shared."""
    peers = mount.peers
    if peers is None:
        return
    master = mount.master
    mount.peers = None
    peers.members.remove(mount)
    if peers.members:
        if master is not None:
            master.slaves.remove(mount)
        follow(mount, peers)
    else:
        _dissolve(peers)


def _dissolve(group: PeerGroup) -> None:
    for slave in group.slaves:
        slave.master = None
    group.slaves.clear()


def receivers(mount: "Mount") -> "list[Mount]":
    """All mounts that an event under ``mount`` goes on to, without itself."""
    found: list[Mount] = []
    seen = {mount}
    pending = [mount.peers] if mount.peers is not None else []
    while pending:
        group = pending.pop()
        for other in (*group.members, *group.slaves):
            if other not in seen:
                seen.add(other)
                found.append(other)
        for slave in group.slaves:
            if slave.peers is not None and slave.peers is not group:
                pending.append(slave.peers)
    return found


def describe(mount: "Mount") -> bytes:
    """The optional fields of mountinfo, each followed by a space."""
    words = b""
    if mount.peers is not None:
        words += b"shared:%d " % mount.peers.id
    if mount.master is not None:
        words += b"master:%d " % mount.master.id
    if mount.is_unbindable:
        words += b"unbindable "
    return words
