"""The log of a detached sandbox."""

from hypothesis import given
from hypothesis import strategies as st

from sandboxctl.state import log_file


@given(st.lists(st.tuples(st.sampled_from([b"stdout", b"stderr"]), st.binary(min_size=1, max_size=100))))
def test_what_was_written_is_read(tmp_path_factory, writes):
    folder = str(tmp_path_factory.mktemp("log"))
    writer = log_file.LogWriter(folder)
    for stream, data in writes:
        writer.write(stream, data)
    for number, name in ((1, b"stdout"), (2, b"stderr")):
        expected = b"".join(data for stream, data in writes if stream == name)
        assert b"".join(text for _, stream, text in log_file.records(folder) if stream == number) == expected


def test_a_full_log_is_rotated(tmp_path, monkeypatch):
    monkeypatch.setattr(log_file, "LOG_MAX", 200)
    writer = log_file.LogWriter(str(tmp_path))
    for number in range(20):
        writer.write(b"stdout", b"%d\n" % number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    texts = [text for _, _, text in log_file.records(str(tmp_path))]
    assert texts == [b"%d\n" % number for number in range(20 - len(texts), 20)]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 500
