"""Entry point of the sentry process: imports, identity, jail, filter, then the event loop until the caller is done."""

import faulthandler
import gc
import logging
import sys
from _socket import socket
from contextlib import suppress
from os import _exit, close, dup2, geteuid
from typing import Any, NoReturn

from sentry.boot.control import ControlServer
from sentry.boot.control_protocol import ChannelClosed, ControlChannel, ProtocolError
from sentry.boot.late import import_before_drop
from sentry.boot.loop import run
from sentry.boot.sandbox import Sandbox
from sentry.host import identity
from sentry.platform.interface import PlatformError
from syscalls import registry

EXIT_SANDBOX_ERROR = 125


def main(control_fd: int) -> NoReturn:
    """Serve the sandbox that the ``start`` message on ``control_fd`` describes; never returns."""
    table = registry.build_table()
    channel = ControlChannel(socket(fileno=control_fd))
    try:
        config, gofer_fds, rest = _receive_start(channel)
    except (ChannelClosed, ProtocolError):
        _exit(EXIT_SANDBOX_ERROR)
    if config["has_log_file"]:
        log_fd = gofer_fds.pop()
        dup2(log_fd, sys.stderr.fileno())
        close(log_fd)
    network_fds = _take_network(config, gofer_fds)
    faulthandler.enable()  # a fault in the C core leaves its Python stack, too
    logging.basicConfig(
        stream=sys.stderr, level=config["log_level"].upper(), format="sandboxctl: sentry: %(levelname)s: %(message)s"
    )
    try:
        sandbox = Sandbox(config, gofer_fds, table, network_fds)
        server = ControlServer(channel, sandbox)
        _serve(sandbox, server, rest, config)
    except PlatformError as error:
        _tell(channel, str(error))
        _exit(EXIT_SANDBOX_ERROR)
    except ChannelClosed:
        _exit(EXIT_SANDBOX_ERROR)
    except BaseException:  # the last door: log our bug, tell the caller, and stop everything with the process
        logging.getLogger(__name__).exception("the sentry failed")
        _tell(channel, "the sentry failed; its log has the details")
        _exit(EXIT_SANDBOX_ERROR)
    _exit(0)


def _serve(
    sandbox: Sandbox, server: ControlServer, rest: "list[tuple[dict[str, Any], list[int]]]", config: dict[str, Any]
) -> None:
    sandbox.prepare_privileged()
    if geteuid() == 0 and config["host_uid"] >= 0:
        import_before_drop()
        identity.drop_privileges(config["host_uid"], config["host_gid"])
    identity.harden()
    identity.raise_descriptor_limit()
    sandbox.start(server)
    server.announce()
    for message, fds in rest:
        server.handle(message, fds)
    sandbox.confine()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        run(sandbox.runner, sandbox.platform, lambda: sandbox.is_done)
    finally:
        sandbox.close()


def _take_network(config: dict[str, Any], fds: list[int]) -> dict[str, int]:
    """The descriptors that came for the network, by what they are; they are the last."""
    network = config.get("network")
    if not network:
        return {}
    names = ["link", *(name for name in ("log", "pcap") if network.get(name))]
    taken = fds[-len(names) :]
    del fds[-len(names) :]
    return dict(zip(names, taken, strict=True))


def _receive_start(channel: ControlChannel) -> "tuple[dict[str, Any], list[int], list[tuple[dict[str, Any], list[int]]]]":
    while True:
        messages = channel.receive()
        if messages:
            message, fds = messages[0]
            if message["kind"] != "start":
                raise ProtocolError("the first message must be start")
            return message["config"], fds, messages[1:]


def _tell(channel: ControlChannel, message: str) -> None:
    with suppress(ChannelClosed):
        channel.send("failed", id=-1, exit_code=EXIT_SANDBOX_ERROR, message=message)
