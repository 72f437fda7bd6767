"""What the command loads, how fast it paints, and what it says when it cannot start."""

import subprocess
import sys
import time

import pytest

from lovt_tui.main import main
from tests.tui.factories import FakeIndex, make_app, screen_text

HEAVY = ("torch", "torchvision", "transformers", "timm", "safetensors")
LATE = ("pydantic", "numpy", "sqlite_utils", "ruamel.yaml", "psutil", "lovt_tui.screens.run", "lovt_tui.screens.new")


def test_the_first_paint_loads_nothing_heavy():
    program = f"import sys, lovt_tui.main; print([n for n in {HEAVY + LATE!r} if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_whole_session_never_loads_torch(tmp_path):
    program = f"""
import asyncio, sys
from pathlib import Path
from lovt_core.runs.workspace import find_workspace
from lovt_tui.app import Dashboard

async def session():
    app = Dashboard(find_workspace(Path({str(tmp_path / "home")!r})), place="home")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.8)
        await pilot.press("n")
        await pilot.pause(0.8)
        await pilot.press("escape", "question_mark", "escape")
    sys.stdout.write(repr([n for n in {HEAVY!r} if n in sys.modules]))

asyncio.run(session())
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


async def test_the_first_paint_does_not_wait_for_the_reading(tmp_path):
    index = FakeIndex()
    index.sync = lambda: time.sleep(1.0)
    began = time.perf_counter()
    async with make_app(index, tmp_path).run_test(size=(80, 24)) as pilot:
        assert "Reading ~/lab" in screen_text(pilot.app)
        assert time.perf_counter() - began < 0.9


def test_a_workspace_that_is_a_file(tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit, match="2"):
        main(["--workspace", str(file)])
    assert capsys.readouterr().err == f"error: workspace {file} is a file: name a folder\n"


def test_without_a_terminal(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--workspace", str(tmp_path / "w")])
    assert "needs a terminal" in capsys.readouterr().err


def test_help_and_version(capsys):
    for option in ("--help", "--version"):
        with pytest.raises(SystemExit, match="0"):
            main([option])
    assert "never stops a run" in capsys.readouterr().out
