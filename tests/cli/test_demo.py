"""The whole road of `lovt demo`, on fewer films than a user gets; what it teaches is measured in docs/synthetic.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_demo(folder: Path, state: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "LOVT_PREPARED": str(folder / "must-not-be-used")}
    few = ["--pairs", "64", "--films", "40", "--task", "covid-*,nih-linear,object-cxr-yolo-frozen"]
    command = [sys.executable, "-m", "lovt_tui.cli.main", "demo", str(folder), *few, "--json"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=550, check=False)


def test_demo_ends_with_a_comparison_and_goes_on_where_it_was(tmp_path):
    first = run_demo(tmp_path / "demo", tmp_path / "state")
    assert first.returncode == 0, first.stderr[-2000:]
    answer = json.loads(first.stdout)
    assert Path(answer["workspace"]) == tmp_path / "demo" / "lovt-workspace"
    assert not (tmp_path / "demo" / "must-not-be-used").exists()
    rows = {row["label"]: row["scores"] for row in answer["comparison"]["rows"]}
    assert set(rows) == {"LoVT (tiny)", "random", "random, fitted"}
    tasks = [column["task"] for column in answer["comparison"]["columns"]]
    wanted = {"covid-unet-finetuned", "covid-unet-frozen", "covid-linear", "object-cxr-yolo-frozen", "nih-linear"}
    assert (set(tasks), len(tasks)) == (wanted, 5)
    assert all("mean" in score for label in ("LoVT (tiny)", "random") for score in rows[label])
    assert sum("mean" in score for score in rows["random, fitted"]) == 2, "the linear tasks"
    assert all(
        {"quick", "synthetic data", "160 px"} <= set(column["marks"]) for column in answer["comparison"]["columns"]
    )
    runs = sorted((tmp_path / "demo" / "lovt-workspace" / "runs").iterdir())
    assert len(runs) == 6
    again = run_demo(tmp_path / "demo", tmp_path / "state")
    assert json.loads(again.stdout)["comparison"] == answer["comparison"]
    assert sorted((tmp_path / "demo" / "lovt-workspace" / "runs").iterdir()) == runs
