"""Which way to the outside is chosen."""

import subprocess
from types import SimpleNamespace

import pytest

from sandboxctl.config import Network
from sandboxctl.doctor.network import check_network
from sandboxctl.errors import SandboxError
from sandboxctl.network import start


@pytest.mark.parametrize(
    ("told", "is_good"),
    [
        ("passt 0.0~git20230309.7c7625d-1\nCopyright", False),
        ("passt 0.0~git20240523.765eb0b-1", True),
        ("passt 2025_02_17.a1e48a0", True),
        ("passt unknown", False),
    ],
)
def test_passts_release(monkeypatch, told, is_good):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=told))
    assert start.is_good_passt() is is_good


def test_without_passt_the_gofer_is_named(monkeypatch):
    def run(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert not start.is_good_passt()
    assert check_network().text == "by the network gofer (passt is not installed)"


class Way:
    """Says who was started; ``fails`` are those that cannot be."""

    fails = frozenset()

    def __init__(self, network):
        if type(self).__name__ in self.fails:
            raise SandboxError("cannot work here")


class Passt(Way):
    pass


class NetGofer(Way):
    pass


@pytest.mark.parametrize(
    ("way", "is_good", "fails", "taken"),
    [
        ("", True, (), Passt), ("", True, ("Passt",), NetGofer), ("", False, (), NetGofer), ("passt", False, (), Passt),
        ("netgofer", True, (), NetGofer), ("passt", True, ("Passt",), SandboxError), ("", False, ("NetGofer",), SandboxError),
    ],
)  # fmt: skip
def test_the_way_that_is_taken(monkeypatch, way, is_good, fails, taken):
    monkeypatch.setattr(start, "Passt", Passt)
    monkeypatch.setattr(start, "NetGofer", NetGofer)
    monkeypatch.setattr(start, "is_good_passt", lambda: is_good)
    monkeypatch.setattr(Way, "fails", frozenset(fails))
    if taken is SandboxError:
        with pytest.raises(SandboxError):
            start.start(Network(way=way))
    else:
        assert type(start.start(Network(way=way))) is taken
