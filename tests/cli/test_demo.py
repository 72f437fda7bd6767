"""The whole road of `lovt demo`, on fewer films than a user gets; what it teaches is measured in docs/synthetic.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_demo(folder: Path, state: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "LOVT_PREPARED": str(folder / "must-not-be-used")}
    command = [sys.executable, "-m", "lovt_tui.cli.main", "demo", str(folder), "--pairs", "64", "--json"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=550, check=False)


@pytest.mark.slow
def test_demo_ends_with_a_comparison_and_goes_on_where_it_was(tmp_path):
    first = run_demo(tmp_path / "demo", tmp_path / "state")
    assert first.returncode == 0, first.stderr[-2000:]
    answer = json.loads(first.stdout)
    assert Path(answer["workspace"]) == tmp_path / "demo" / "lovt-workspace"
    assert not (tmp_path / "demo" / "must-not-be-used").exists()
    text = json.dumps(answer["comparison"])
    for label in ("LoVT (tiny)", "random, fitted", "random, untouched"):
        assert label in text
    assert "synthetic" in text
    assert "stride 16" in text
    runs = sorted((tmp_path / "demo" / "lovt-workspace" / "runs").iterdir())
    assert len(runs) == 4
    again = run_demo(tmp_path / "demo", tmp_path / "state")
    assert json.loads(again.stdout)["comparison"] == answer["comparison"]
    assert sorted((tmp_path / "demo" / "lovt-workspace" / "runs").iterdir()) == runs
