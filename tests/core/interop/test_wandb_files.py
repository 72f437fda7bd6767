"""Offline W&B runs: the frames of their files, and what is in them."""

import json
import math
import os
import sys

import pytest

from lovt_core.errors import DataError, InputError
from lovt_core.interop.points import Point
from lovt_core.interop.wandb_files import read_log, read_offline_run
from tests.core.interop.wandb_file import BLOCK, write_log


def read_all(content, path):
    notes: list[str] = []
    return list(read_log(path, content, notes)), notes


@pytest.mark.parametrize("sizes", [(1, 0, 20), (BLOCK - 14, 5), (BLOCK - 20, 3, 3), (3 * BLOCK, 40, BLOCK)], ids=str)
def test_records_are_put_together_from_their_chunks(tmp_path, sizes):
    records = [bytes([number % 251 for number in range(size)]) for size in sizes]
    assert read_all(write_log(records), tmp_path) == (records, [])


def test_a_log_cut_anywhere_gives_what_is_whole(tmp_path):
    records = [b"first", b"x" * (BLOCK + 30), b"last"]
    content = write_log(records)
    for length in (*range(7, 40), *range(BLOCK - 20, BLOCK + 80), len(content)):
        found, notes = read_all(content[:length], tmp_path / "run.wandb")
        assert found == records[: len(found)]
        assert all("ends in the middle of a record" in note for note in notes)
    assert read_all(content, tmp_path) == (records, [])


def test_damage_and_other_files_are_refused(tmp_path):
    content = write_log([b"first", b"second"])
    for place in (8, 13, 15, len(content) - 1):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(DataError, match="damaged at byte"):
            read_all(changed, tmp_path)
    with pytest.raises(DataError, match="no W&B file"):
        read_all(b"PK\x03\x04 something else", tmp_path)


def test_without_the_package_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "run-1.wandb"
    path.write_bytes(write_log([b"x"]))
    for name in [name for name in sys.modules if name.partition(".")[0] == "wandb"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    with pytest.raises(InputError, match="pip install wandb"):
        read_offline_run(path)


@pytest.fixture
def messages(monkeypatch):
    """W&B's own message definitions."""
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    return pytest.importorskip("wandb.proto.wandb_internal_pb2", exc_type=ImportError)


def history(messages, step, **values):
    record = messages.Record()
    record.history.step.num = step
    for name, value in {"_step": step, "_timestamp": 1e9 + step, "_runtime": 1, **values}.items():
        record.history.item.add(nested_key=name.split("."), value_json=json.dumps(value))
    return record


def test_history_configuration_and_exit_code(tmp_path, messages):
    start, config, end = messages.Record(), messages.Record(), messages.Record()
    start.run.run_id, start.run.display_name = "abc", "a good name"
    start.run.config.update.add(key="model", value_json='{"depth": 50}')
    start.run.config.update.add(key="_wandb", value_json="{}")
    config.config.update.add(nested_key=["model", "width"], value_json="2")
    end.exit.exit_code = 3
    rows = [
        history(messages, 0, loss=1, epoch=0.5, text="words", **{"val.dice": 0.25}),
        history(messages, 3, loss="NaN", flag=True, picture={"_type": "image-file"}, nested={"a": {"b": -math.inf}}),
    ]
    path = tmp_path / "run-abc.wandb"
    path.write_bytes(write_log([each.SerializeToString() for each in (start, rows[0], config, rows[1], end)]))
    run = read_offline_run(path)
    assert (run.name, run.format, run.source) == ("a good name", "wandb", path)
    assert run.config == {"model": {"depth": 50, "width": 2}}
    assert repr(run.points) == repr(
        (
            Point(0, "loss", 1.0, 1e9, 0.5),
            Point(0, "val.dice", 0.25, 1e9, 0.5),
            Point(3, "loss", math.nan, 1e9 + 3),
            Point(3, "flag", 1.0, 1e9 + 3),
            Point(3, "nested.a.b", -math.inf, 1e9 + 3),
        )
    )
    assert run.notes == (
        "the run ended with exit code 3",
        "left out, as only numbers are imported: 2 logged values of other kinds",
    )
    path.write_bytes(write_log([start.SerializeToString()]))
    with pytest.raises(DataError, match="has logged no numbers"):
        read_offline_run(path)
    path.write_bytes(write_log([b"\xff\xff\xff"]))
    with pytest.raises(DataError, match="record 0 is none of W&B's"):
        read_offline_run(path)


@pytest.mark.slow
def test_a_run_that_wandb_itself_has_written(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", exc_type=ImportError)
    for name, value in {"MODE": "offline", "SILENT": "true", "DIR": str(tmp_path), "ERROR_REPORTING": "false"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    run = wandb.init(project="p", name="real", config={"rate": 0.5})
    for step in range(20):
        run.log({"train/loss": 1 / (step + 1)})
    run.finish()
    (path,) = tmp_path.rglob("*.wandb")
    found = read_offline_run(path)
    assert (found.name, found.config) == ("real", {"rate": 0.5})
    assert [(point.step, point.value) for point in found.points] == [(step, 1 / (step + 1)) for step in range(20)]
    assert os.environ["WANDB_MODE"] == "offline"
