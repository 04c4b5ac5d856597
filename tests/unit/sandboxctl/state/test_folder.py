"""The records of sandboxes: names, repair, removal."""

import os

import pytest

from sandboxctl.errors import SandboxError
from sandboxctl.state import place
from sandboxctl.state.folder import EXIT_LOST, NotFound, States
from sandboxctl.state.record import RUNNING, STOPPED, Record


@pytest.fixture
def states(tmp_path):
    return States(place.prepare(str(tmp_path / "state")))


def make(states, ident, **values):
    with states.claim(Record(id=ident, **values)):
        pass


def test_a_record_comes_back_as_it_was_written(states):
    make(states, "abcd", name="one", argv=["sh", "-c", "\udcff"], labels={"a": "b"}, from_a_newer_version=7)
    record = states.find("one")
    assert (record.id, record.argv, record.labels) == ("abcd", ["sh", "-c", "\udcff"], {"a": "b"})
    assert record.__dict__["from_a_newer_version"] == 7


def test_a_name_is_given_once(states):
    make(states, "abcd", name="one")
    with pytest.raises(SandboxError, match="in use by abcd"):
        make(states, "efgh", name="one")
    assert states.ids() == ["abcd"]


def test_a_start_that_fails_leaves_nothing(states):
    with pytest.raises(ZeroDivisionError), states.claim(Record(id="abcd")):
        raise ZeroDivisionError
    assert states.ids() == []


def test_the_beginning_of_an_id_is_enough_if_it_is_clear(states):
    make(states, "abcd1")
    make(states, "abce1")
    assert states.find("abcd").id == "abcd1"
    with pytest.raises(SandboxError, match="several"):
        states.find("abc")
    with pytest.raises(NotFound):
        states.find("x")


@pytest.mark.parametrize("remove", [False, True])
def test_who_looks_repairs_what_a_killed_keeper_left(states, remove):
    with states.claim(Record(id="abcd", status=RUNNING, pid=99, auto_remove=remove)) as lock:
        keepers = os.dup(lock)
    assert states.look("abcd").status == RUNNING  # its lock is held
    os.close(keepers)
    record = states.look("abcd")
    if remove:
        assert record is None
        assert states.ids() == []
    else:
        assert (record.status, record.exit_code, record.pid) == (STOPPED, EXIT_LOST, 0)
        assert Record.load(states.path("abcd")).status == STOPPED


def test_a_folder_that_others_may_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(SandboxError, match="nobody else may write"):
        place.prepare(str(tmp_path))


def test_a_damaged_record_is_named(states):
    make(states, "abcd")
    with open(os.path.join(states.path("abcd"), "record.json"), "w", encoding="utf-8") as file:
        file.write("[]")
    with pytest.raises(SandboxError, match="cannot be read"):
        states.all()
