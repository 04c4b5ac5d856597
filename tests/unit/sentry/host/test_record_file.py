"""Files that records are appended to: whole or not at all, within a limit, and nobody waits."""

import os
from struct import unpack

from sentry.host.link.capture import Capture
from sentry.host.record_file import RecordFile


def test_a_limit():
    reading, writing = os.pipe()
    file = RecordFile(writing, 10)
    assert file.write(b"12345678")
    assert not file.write(b"901")
    assert file.write(b"90")
    assert file.lost == 1
    assert os.read(reading, 100) == b"1234567890"
    os.close(reading)
    os.close(writing)


def test_a_slow_reader_loses_whole_records_only():
    reading, writing = os.pipe2(os.O_NONBLOCK)
    file = RecordFile(writing, 1 << 30)
    records = [b"%06d" % number * 2000 + b"\n" for number in range(40)]
    taken = [record for record in records if file.write(record)]
    assert file.lost == len(records) - len(taken) > 0
    data = b""
    while True:
        try:
            data += os.read(reading, 1 << 20)
        except BlockingIOError:
            break
    while not file.write(b"last\n"):  # what was begun is completed first
        data += os.read(reading, 1 << 20)
    data += os.read(reading, 1 << 20)
    assert data == b"".join([*taken, b"last\n"])
    os.close(reading)
    assert not file.write(b"to nobody")
    os.close(writing)


def test_a_full_disk():
    fd = os.open("/dev/full", os.O_WRONLY)
    file = RecordFile(fd, 100)
    assert not file.write(b"x")
    assert file.lost == 1
    os.close(fd)


def test_a_capture(tmp_path):
    fd = os.open(tmp_path / "pcap", os.O_WRONLY | os.O_CREAT)
    capture = Capture(RecordFile(fd, 1000), lambda: 1_700_000_000_123_456_789)
    capture(b"frame one", True)
    capture(b"frame", False)
    os.close(fd)
    data = (tmp_path / "pcap").read_bytes()
    assert unpack("<IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
    assert unpack("<IIII", data[24:40]) == (1_700_000_000, 123_456_789, 9, 9)
    assert data[40:49] == b"frame one"
    assert data[65:] == b"frame"
