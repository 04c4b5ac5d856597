"""From configuration to service: open the roots, give up every right that serving does not need, answer requests.

Order matters: roots are opened with the starter's rights; then namespaces, limits, identity, no_new_privs, Landlock and, last,
the filter. Only then is the sentry's first request read.
"""

import gc
import os
from _socket import socket
from errno import EACCES

from gofer._sys._native import lib
from gofer.filter.install import install, load
from gofer.jail import identity, landlock, limits, namespace
from gofer.protocol.config import MESSAGE_MAX, Config, decode_config, encode_ready
from gofer.protocol.wire import ProtocolError
from gofer.server.connection import Connection
from gofer.server.policy import TreePolicy
from gofer.server.table import READING, WRITING

NODES_MAX = 200_000
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_NAME = 4, 38, 15


def main(control_fd: int, channel_fd: int) -> None:
    """Run until the sentry closes the channel. Never returns."""
    control = socket(fileno=control_fd)
    channel = socket(fileno=channel_fd)
    status = 1
    try:
        config = decode_config(control.recv(MESSAGE_MAX))
        layers, connection = prepare(config, channel)
        control.send(encode_ready(tuple(layers)))
        control.close()
        gc.freeze()
        connection.serve()
        status = 0
    except ProtocolError as error:
        report(control, f"protocol violation: {error}")
    except (BrokenPipeError, ConnectionResetError):
        status = 0  # the sentry is gone while a request or a reply was on its way
    except OSError as error:
        report(control, f"{error.strerror or error} ({error.filename})" if error.filename else str(error.strerror or error))
    os._exit(status)


def report(control: socket, text: str) -> None:
    """Tell the starter if it still listens, else standard error."""
    try:
        control.send(encode_ready((), text))
    except OSError:
        os.write(2, f"gofer: {text}\n".encode())


def open_root(path: bytes, fd: int) -> int:
    """An O_PATH descriptor of an exported folder. Raises OSError."""
    name: bytes | str = path if fd < 0 else f"/proc/self/fd/{fd}"
    root = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    if fd >= 0:
        os.close(fd)
    return root


def prepare(config: Config, channel: socket) -> "tuple[list[str], Connection]":
    """Open the trees and lock this process up; returns the layers in force. Raises OSError."""
    policies = [TreePolicy(open_root(tree.path, tree.fd), tree) for tree in config.trees]
    try:
        procfd = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        procfd = -1  # without /proc: no changes of attributes, regular files by dev and ino only
    os.umask(0)
    is_writable = any(policy.is_writable for policy in policies)
    program = load(is_writable=is_writable)
    layers = namespace.enter()
    if procfd >= 0:
        os.fchdir(procfd)
    descriptors = limits.apply()
    lib.gofer_prctl(_PR_SET_NO_NEW_PRIVS, 1)
    abi = landlock.enforce(policies)
    identity.drop(config)
    if lib.gofer_prctl(_PR_SET_DUMPABLE, 0) < 0:
        raise OSError(EACCES, "PR_SET_DUMPABLE")
    layers += ["nnp", "caps", "limits"] + ([f"landlock:{abi}"] if abi else [])
    connection = Connection(
        channel,
        policies,
        READING | WRITING if is_writable else READING,
        descriptors_max=max(64, min(2048, descriptors // 3)),
        nodes_max=NODES_MAX,
    )
    connection.procfd = procfd
    connection.can_watch = procfd >= 0
    if lib.gofer_use_openat2(-1):
        layers.append("openat2")
    install(program)
    return [*layers, "seccomp"], connection
