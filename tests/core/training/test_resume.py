"""A training killed with SIGKILL anywhere and resumed computes what an unbroken one does, to the bit.

One process imports torch; it forks a child for each attempt, and the children kill themselves.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = '''
import json, os, shutil, signal, sys
from pathlib import Path

import torch
import torch._dynamo  # every optimiser imports it: once here instead of in each child

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.selftest import selftest
from lovt_core.values import CheckpointSaved, Metrics, Workplace

torch.set_num_threads(1)
root, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
experiment = SelftestExperiment.model_validate(settings["experiment"])


def attempt(folder, number, last, best, die):
    """Fork a child that trains until `die` kills it; returns (losses, last, best, was killed)."""
    record = folder / f"{number}.jsonl"
    child = os.fork()
    if child == 0:
        place = Workplace(folder, folder / "checkpoints", folder, number, "cpu", lambda: None, None,
                          last_checkpoint=last, best_checkpoint=best)
        fsync = os.fsync
        os.fsync = lambda descriptor: (die("fsync"), fsync(descriptor))
        with record.open("w") as file:
            for value in selftest(experiment, place):
                match value:
                    case Metrics():
                        rows = {n: v for n, v in value.values.items() if not n.startswith("time/")}
                        file.write(json.dumps({"step": value.step, "epoch": value.epoch, "values": rows}) + "\\n")
                    case CheckpointSaved():
                        file.write(json.dumps({"saved": value.name, "is_best": value.is_best}) + "\\n")
                file.flush()
                die("value")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or os.WEXITSTATUS(status) == 0, status
    losses = {}
    for line in record.read_text().splitlines():
        row = json.loads(line)
        if "saved" in row:
            last, best = row["saved"], row["saved"] if row["is_best"] else best
        else:
            losses |= {f"{row['step']} {row['epoch']} {name}": value.hex() for name, value in row["values"].items()}
    return losses, last, best, killed


def killer(kind, count):
    left = [count]
    def die(happened):
        if happened == kind:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    return die


def train(name, kills):
    """Losses of a training that is killed at each of `kills`, one attempt each, and then runs to its end."""
    folder = root / name
    folder.mkdir()
    losses, last, best, number = {}, None, None, 1
    for kind, count in kills:
        seen, last, best, killed = attempt(folder, number, last, best, killer(kind, count))
        losses |= seen
        if not killed:
            break
        number += 1
    else:
        seen, last, best, killed = attempt(folder, number, last, best, lambda happened: None)
        losses |= seen
    folders = sorted(path.name for path in (folder / "checkpoints").iterdir())
    weights = (folder / "checkpoints" / last / "model.safetensors").read_bytes().hex()
    shutil.rmtree(folder)
    return {"losses": losses, "folders": len(folders), "weights": weights, "attempts": number}


outcomes = {"unbroken": train("unbroken", [])}
for kind in settings["kinds"]:
    count = 1
    while True:
        outcome = train(f"{kind}-{count}", [(kind, count)])
        if outcome["attempts"] == 1:
            break
        outcomes[f"{kind} {count}"] = outcome
        count += 1
outcomes["three times"] = train("three", [("value", 3), ("value", 5), ("fsync", 9)])
print(json.dumps(outcomes))
'''


def _run(tmp_path: Path, training: dict[str, Any], kinds: list[str]) -> dict[str, Any]:
    base = {"batch_size": 8, "accumulate": 2, "precision": "fp32", "device": "cpu", "optimiser": {"learning_rate": 0.1}}
    settings = {"experiment": {"selftest": {"samples": 40}, "training": base | training}, "kinds": kinds}
    completed = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), json.dumps(settings)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    outcomes: dict[str, Any] = json.loads(completed.stdout)
    return outcomes


def _assert_all_equal(outcomes: dict[str, Any]) -> None:
    unbroken = outcomes.pop("unbroken")
    for name, outcome in outcomes.items():
        assert outcome["losses"] == unbroken["losses"], name
        assert outcome["weights"] == unbroken["weights"], name
        assert outcome["folders"] <= 2, name


def test_killed_after_any_value_with_a_checkpoint_every_step(tmp_path: Path) -> None:
    # 5 batches an epoch, two to a step: the third step of each epoch is an incomplete group
    outcomes = _run(tmp_path, {"max_epochs": 2, "checkpoint_every_steps": 1}, ["value"])
    assert len(outcomes) >= 14
    _assert_all_equal(outcomes)


def test_killed_at_any_point_of_saving(tmp_path: Path) -> None:
    outcomes = _run(tmp_path, {"max_epochs": 1, "checkpoint_every_steps": 1}, ["fsync"])
    assert len(outcomes) >= 29
    _assert_all_equal(outcomes)


def test_killed_where_plateau_and_early_stopping_decide(tmp_path: Path) -> None:
    # steps so small that no epoch improves by enough for either rule, on any machine
    training = {
        "max_epochs": 8,
        "schedule": {"name": "plateau", "patience": 1},
        "optimiser": {"learning_rate": 1e-6, "name": "adam"},
        "early_stopping": {"patience": 3, "min_delta": 0.1},
        "checkpoint_every_steps": 2,
    }
    outcomes = _run(tmp_path, training, ["value"])
    rates = {value for name, value in outcomes["unbroken"]["losses"].items() if name.endswith("learning_rate")}
    assert len(rates) > 1, "the plateau rule should act in this test"
    assert "24 8.0 val/loss" not in outcomes["unbroken"]["losses"], "early stopping should act in this test"
    _assert_all_equal(outcomes)


@pytest.mark.parametrize("precision", ["bf16"])
def test_killed_in_bf16(tmp_path: Path, precision: str) -> None:
    _assert_all_equal(_run(tmp_path, {"max_epochs": 1, "precision": precision, "accumulate": 1}, ["value"]))
