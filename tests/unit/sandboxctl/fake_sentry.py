"""A sentry that only speaks the control protocol: its commands are words that say what shall happen."""

import os
import signal
from _socket import socket

from sentry.boot.control_protocol import ChannelClosed, ControlChannel


def main(control_fd: int) -> None:
    channel = ControlChannel(socket(fileno=control_fd))
    try:
        while True:
            for message, fds in channel.receive():
                handle(channel, message, fds)
                for fd in fds:
                    os.close(fd)
    except ChannelClosed:
        os._exit(0)


def handle(channel, message, fds):
    kind = message["kind"]
    if kind == "start":
        if message["config"]["hostname"] == b"broken":
            channel.send("failed", id=-1, exit_code=125, message="the jail cannot be made; try this")
            os._exit(1)
        if message["config"]["hostname"] == b"silent":
            return
        channel.send("started", platform="fake", profile=message["config"]["profile"], layers=["seccomp"])
    elif kind == "signal":
        channel.send("exited", id=message["id"], code=0, signal=message["signo"])
    elif kind == "stop":
        os._exit(0)
    elif kind == "run":
        run(channel, message, dict(zip(message["streams"], fds, strict=True)))


def run(channel, message, streams):
    word, *rest = message["argv"]
    number = message["id"]
    if word == b"echo":
        os.write(streams[1], b" ".join(rest) + b"\n")
    elif word == b"cat":
        while data := os.read(streams[0], 65536):
            os.write(streams[1], data)
    elif word == b"env":
        os.write(streams[1], b"\n".join(message["env"]))
    elif word == b"exit":
        channel.send("exited", id=number, code=int(rest[0]), signal=0)
        return
    elif word == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == b"hang":
        return
    elif word == b"missing":
        channel.send("failed", id=number, exit_code=127, message="missing: executable file not found in $PATH")
        return
    elif word == b"nonsense":
        os.write(3, b"\xff\xff\xff\xff")
        return
    channel.send("log", line="a line")
    channel.send("exited", id=number, code=0, signal=0)
