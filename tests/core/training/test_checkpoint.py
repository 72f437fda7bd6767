"""Checkpoint folders: what is in them, damage, a full disk."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from lovt_core.errors import LovtError, RecordError
from lovt_core.training.checkpoint import (
    DOCUMENT,
    MODEL_FILE,
    checkpoint_names,
    discard_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lovt_core.training.resume import TrainingState, load_state, newest_whole_checkpoint, save_state

CONTENT = {"step": 7, "epoch": 1, "describe": {"method": "linear", "sizes": [3, 2]}}


def _save(folder: Path, width: int = 3) -> None:
    def save_beside(temporary: Path) -> None:
        (temporary / "tokenizer").mkdir()
        (temporary / "tokenizer" / "vocabulary.txt").write_text("lung\n")

    save_checkpoint(folder, nn.Linear(width, 2), CONTENT, save_beside)


def _save_with_state(checkpoints: Path, name: str) -> None:
    state = TrainingState({"exp_avg/weight": torch.ones(3)}, {"torch": torch.get_rng_state()}, {"loop": {"step": 7}})
    save_state(checkpoints / f"{name}.state", state)
    _save(checkpoints / name)


def test_a_checkpoint_gives_back_tensors_and_description(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    save_checkpoint(tmp_path / "7-a1", model, CONTENT, lambda folder: None)
    checkpoint = load_checkpoint(tmp_path / "7-a1")
    assert (checkpoint.step, checkpoint.epoch, checkpoint.describe) == (7, 1, CONTENT["describe"])
    tensors = checkpoint.load_model()
    assert tensors.keys() == model.state_dict().keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in model.state_dict().items())


def test_tied_parameters_are_saved_under_both_names(tmp_path: Path) -> None:
    model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    model["b"].weight = model["a"].weight
    save_checkpoint(tmp_path / "7-a1", model, CONTENT, lambda folder: None)
    tensors = load_checkpoint(tmp_path / "7-a1").load_model()
    assert torch.equal(tensors["a.weight"], tensors["b.weight"])


@pytest.mark.parametrize("name", [MODEL_FILE, "tokenizer/vocabulary.txt", DOCUMENT])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_is_named(tmp_path: Path, name: str, damage: str) -> None:
    _save(tmp_path / "7-a1")
    path = tmp_path / "7-a1" / name
    content = path.read_bytes()
    match damage:
        case "flip":
            path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        case "truncate":
            path.write_bytes(content[: len(content) // 2])
        case _:
            path.unlink()
    with pytest.raises(RecordError, match=Path(name).name):
        load_checkpoint(tmp_path / "7-a1")


def test_a_changed_number_in_the_document_is_noticed(tmp_path: Path) -> None:
    _save(tmp_path / "7-a1")
    path = tmp_path / "7-a1" / DOCUMENT
    document = json.loads(path.read_text())
    document["content"]["step"] = 8
    path.write_text(json.dumps(document))
    with pytest.raises(RecordError, match="checksum differs"):
        load_checkpoint(tmp_path / "7-a1")


def test_names_are_newest_first_by_step_then_attempt(tmp_path: Path) -> None:
    for name in ("9-a1", "10-a1", "10-a2", "10-a2.state", ".11-a1.x.tmp", "notes"):
        (tmp_path / name).mkdir()
    assert checkpoint_names(tmp_path) == ["10-a2", "10-a1", "9-a1"]
    assert checkpoint_names(tmp_path / "absent") == []


def test_a_damaged_last_falls_back_to_the_newest_whole_one(tmp_path: Path) -> None:
    for name in ("5-a1", "6-a1", "7-a1"):
        _save_with_state(tmp_path, name)
    (tmp_path / "7-a1" / MODEL_FILE).write_bytes(b"")
    (tmp_path / "6-a1.state" / "state.json").unlink()
    point = newest_whole_checkpoint(tmp_path, "7-a1")
    assert point.checkpoint.folder.name == "5-a1"
    assert "7-a1" in point.damages[0]
    assert "6-a1.state" in point.damages[1]


def test_no_whole_checkpoint_left_is_an_error(tmp_path: Path) -> None:
    _save_with_state(tmp_path, "5-a1")
    (tmp_path / "5-a1" / MODEL_FILE).unlink()
    with pytest.raises(RecordError, match="no whole checkpoint"):
        newest_whole_checkpoint(tmp_path, "5-a1")


def test_discarding_keeps_what_is_named_and_foreign_files(tmp_path: Path) -> None:
    for name in ("5-a1", "5-a1.state", "6-a1", "6-a1.state", ".7-a1.x.tmp", "notes"):
        (tmp_path / name).mkdir()
    discard_checkpoints(tmp_path, {"6-a1"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["6-a1", "6-a1.state", "notes"]
    discard_checkpoints(tmp_path, {"6-a1"}, keep_states=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["6-a1", "notes"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 20 kB: the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_is_one_error_and_leaves_nothing(tmp_path: Path, small_files: None) -> None:
    _save(tmp_path / "6-a1")
    with pytest.raises(LovtError, match=r"cannot write model\.safetensors"):
        _save(tmp_path / "7-a1", width=10_000)
    assert [path.name for path in tmp_path.iterdir()] == ["6-a1"]
    assert load_checkpoint(tmp_path / "6-a1").step == 7


def test_state_survives_the_way_through_files(tmp_path: Path) -> None:
    _save_with_state(tmp_path, "7-a1")
    state = load_state(tmp_path / "7-a1.state")
    assert torch.equal(state.optimiser["exp_avg/weight"], torch.ones(3))
    assert state.document == {"loop": {"step": 7}}
