"""JSON lines: torn ends, short writes, numbers that JSON does not know."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.runs import lines
from lovt_core.runs.events import EventWriter


def test_a_torn_last_line_is_not_read_and_stays_apart(tmp_path):
    path = tmp_path / "control.jsonl"
    lines.append_line(path, {"a": 1})
    with path.open("ab") as file:
        file.write(b'{"a": 2')
    assert lines.read_lines(path) == [{"a": 1}]
    lines.append_line(path, {"a": 3})
    assert lines.read_lines(path) == [{"a": 1}, {"a": 3}]


def test_a_short_write_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "events-1.jsonl"
    writer = EventWriter(path)
    writer.write("one", {"x": 1})
    before = path.read_bytes()
    real_write = os.write
    monkeypatch.setattr(lines.os, "write", lambda descriptor, content: real_write(descriptor, content[:5]))
    writer.write("two", {"x": 2})
    assert path.read_bytes() == before
    monkeypatch.setattr(lines.os, "write", real_write)
    writer.write("three", {"x": 3})
    assert [line["event"] for line in lines.read_lines(path)] == ["one", "two", "three"]
    writer.close()


def test_an_attempt_has_one_writer(tmp_path):
    writer = EventWriter(tmp_path / "events-1.jsonl")
    with pytest.raises(Exception, match=r"cannot create .*events-1\.jsonl: File exists"):
        EventWriter(tmp_path / "events-1.jsonl")
    writer.close()


@given(st.floats())
def test_numbers_survive(value):
    back = lines.decode_number(lines.encode_number(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9)), max_size=5), st.data())
def test_any_cut_yields_a_prefix_of_the_records(records, data):
    content = b"".join(lines.encode_line(record) for record in records)
    cut = data.draw(st.integers(0, len(content)))
    found, length = lines.complete_lines(content[:cut])
    assert found == records[: len(found)]
    assert length <= cut
    rest, _ = lines.complete_lines(content[length:])
    assert found + rest == records
