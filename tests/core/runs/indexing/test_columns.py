"""Columns by name, sorting, and the settings in which runs differ."""

import math

import pytest

from lovt_core.errors import InputError
from lovt_core.runs.indexing.columns import FIELDS, differing_columns, find_column, find_columns, sort_rows
from lovt_core.runs.indexing.differences import compare_runs, differing_keys, find_setting, flatten
from lovt_core.runs.records import EventRow
from tests.core.runs.rows import make_row

SMALL = {"method": {"name": "lovt", "sizes": [1, 2]}, "training": {"batch_size": 8}, "seed": 1}
LARGE = {"method": {"name": "lovt", "sizes": [1, 3]}, "training": {"batch_size": 64}, "seed": 2, "extra": None}


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_read(name):
    find_column(name, []).read(make_row())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", "20260901-120000-a-0001"),
        ("best.val/loss", 3.0),
        ("latest.train/loss", 2.0),
        ("cfg.training.batch_size", 8),
        ("cfg.training", {"batch_size": 8}),
        ("note", "good"),
        ("progress", 1.0),
        ("seed", 1),
    ],
)
def test_what_stands_in_a_column(name, value):
    row = make_row(remark="good")
    assert find_column(name, [row]).read(row) == value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stat", "unknown column 'stat', did you mean state?"),
        ("colour", "unknown column 'colour', known: run, name, "),
        ("best.val/los", "none of these runs has 'best.val/los', did you mean best.val/loss?"),
        ("latest.train/los", "none of these runs has 'latest.train/los', did you mean latest.train/loss?"),
        ("cfg.training.batchsize", "did you mean cfg.training.batch_size?"),
        ("cfg.", "unknown column 'cfg.'"),
    ],
)
def test_unknown_columns(name, message):
    with pytest.raises(InputError) as caught:
        find_column(name, [make_row()])
    assert message in str(caught.value)


def test_lists_of_columns():
    assert [column.name for column in find_columns("state, run,state", [])] == ["state", "run"]
    with pytest.raises(InputError, match="--columns needs names"):
        find_columns(" ,", [])


def test_sorting_puts_what_is_missing_last():
    losses = {"a": 2.0, "b": math.nan, "c": 1.0, "d": None, "e": math.inf}
    rows = [make_row(name, best={} if loss is None else {"val/loss": loss}) for name, loss in losses.items()]
    assert [row.name for row in sort_rows(rows, "best.val/loss")] == ["c", "a", "e", "b", "d"]
    assert [row.name for row in sort_rows(rows, "-best.val/loss")] == ["e", "a", "c", "b", "d"]


def test_sorting_by_words_lists_and_age():
    rows = [make_row("b", created=1.0, tags=("x",)), make_row("a", created=3.0), make_row("c", created=2.0)]
    assert [row.name for row in sort_rows(rows, "name")] == ["a", "b", "c"]
    assert [row.name for row in sort_rows(rows, "age")] == ["a", "c", "b"]
    assert [row.name for row in sort_rows(rows, "-age")] == ["b", "c", "a"]
    for text in ("tags", "-tags"):
        assert [row.name for row in sort_rows(rows, text)] == ["b", "a", "c"]


def test_settings_that_differ():
    assert flatten(SMALL) == {"method.name": "lovt", "method.sizes": [1, 2], "training.batch_size": 8, "seed": 1}
    assert flatten({"a": {}}) == {"a": {}}
    assert differing_keys([SMALL, LARGE]) == ["method.sizes", "training.batch_size", "seed"]
    assert differing_keys([SMALL, SMALL]) == differing_keys([SMALL]) == differing_keys([]) == []
    assert find_setting(LARGE, "method.name.deeper") is None
    rows = [make_row(experiment=SMALL), make_row(experiment=LARGE)]
    assert [column.name for column in differing_columns(rows)] == [
        "cfg.method.sizes",
        "cfg.training.batch_size",
        "cfg.seed",
    ]


def test_two_runs_side_by_side():
    first = make_row(experiment=SMALL, best={"val/loss": 3.0, "val/dice": 0.5}, origin={"git": {"commit": "aa"}})
    second = make_row(experiment=LARGE, slot="GPU 0", latest={}, origin={"git": {"commit": "bb", "dirty": True}})
    told = {"versions": {"torch": "2.9"}, "gpus": [{"name": "H100"}]}
    found = compare_runs(first, second, (None, EventRow(1, 0.0, "started", told)))
    assert {each.key: (each.first, each.second) for each in found.settings} == {
        "method.sizes": ([1, 2], [1, 3]),
        "training.batch_size": (8, 64),
        "seed": (1, 2),
    }
    assert {each.key: (each.first, each.second) for each in found.metrics} == {
        "best.val/dice": (0.5, None),
        "best.val/loss": (3.0, 3.0),
        "latest.train/loss": (2.0, None),
    }
    assert {each.key: (each.first, each.second) for each in found.facts} == {
        "slot": ("CPU", "GPU 0"),
        "gpus": ([], ["H100"]),
        "queued.git.commit": ("aa", "bb"),
        "queued.git.dirty": (None, True),
        "started.versions.torch": (None, "2.9"),
    }
