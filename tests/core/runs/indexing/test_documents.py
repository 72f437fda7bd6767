"""Documents whose equal parts are kept once."""

import json

import pytest

from lovt_core.runs.indexing import documents
from lovt_core.runs.indexing.documents import DocumentReader

EXPERIMENT = {"kind": "pretrain", "seed": 1, "training": {"lr": 1.0, "schedule": {"name": "cosine"}}, "tasks": ["a"]}


def test_reads_what_was_written() -> None:
    assert DocumentReader().read(json.dumps(EXPERIMENT)) == EXPERIMENT


def test_equal_parts_are_one_object() -> None:
    reader = DocumentReader()
    one, other = (reader.read(json.dumps({**EXPERIMENT, "seed": seed})) for seed in (1, 2))
    assert (one["seed"], other["seed"]) == (1, 2)
    assert one["training"] is other["training"]
    assert one["tasks"] is other["tasks"]
    assert one["kind"] is other["kind"]


def test_equal_numbers_of_other_types_stay_apart() -> None:
    reader = DocumentReader()
    texts = [json.dumps({"part": {"value": value}}) for value in (1, 1.0, True)]
    assert [type(reader.read(text)["part"]["value"]) for text in texts] == [int, float, bool]


def test_parts_of_runs_that_went_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_PARTS", 3)
    reader = DocumentReader()
    for number in range(20):
        assert reader.read(json.dumps({"part": {"number": number}})) == {"part": {"number": number}}
    assert len(reader._parts) <= 4


@pytest.mark.parametrize("text", ["[]", "3", "{", ""])
def test_refuses_what_is_no_object(text: str) -> None:
    with pytest.raises(ValueError):
        DocumentReader().read(text)
