"""Runs through the real scheduler and worker, as a person starts, watches, stops and resumes them."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.workspace import Workspace

EXPERIMENT = """
kind: selftest
name: small
training: {batch_size: 8, accumulate: 1, max_epochs: 2, precision: fp32, device: cpu}
"""
LONG = ("--set", "training.max_epochs=100000", "--set", "selftest.seconds_per_step=0.02")
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, even where tests run in the background
from lovt_tui.cli.main import main
main()
"""
SECONDS = 60


class Terminal:
    """`lovt` in processes of its own, in a folder outside the checkout, always with the same workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = Workspace(folder / "lovt-workspace")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOVT_")}
        self.environment = {
            **kept,
            "XDG_STATE_HOME": str(folder / "state"),
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }
        (folder / "small.yaml").write_text(EXPERIMENT)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command at work, with pipes to what it says."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def rows(self) -> dict[str, dict]:
        """`lovt runs --json` by id."""
        return {row["id"]: row for row in json.loads(self.run("runs", "--all", "--json").stdout)}

    def state(self, run_id: str) -> RunState:
        """State of a run, from its directory."""
        return read_state(RunDirectory(self.place.runs / run_id))

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Look until it holds."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {SECONDS} s for {what}")
            time.sleep(0.1)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("cli"))
    yield terminal
    for run in list_runs(terminal.place):
        if read_state(run).is_active:
            terminal.run("stop", run.id)
    terminal.wait(lambda: not is_locked(terminal.place.scheduler_lock), "the scheduler to leave")


def test_a_run_from_start_to_finish(terminal):
    done = terminal.run("pretrain", "small.yaml", "--set", "seed=3")
    assert done.returncode == 0
    run_id, state, *_ = done.stdout.split()
    assert state == "finished"
    assert done.stdout.count("\n") == 1
    assert f"run {run_id}\n" in done.stderr
    assert "16/16 step" in done.stderr

    assert terminal.rows()[run_id]["state"] == "finished"
    table = terminal.run("runs").stdout
    assert run_id in table
    assert "100 %" in table

    shown = terminal.run("show", run_id[:19]).stdout
    for expected in (run_id, "finished", "16 of 16 steps", "val/loss", str(terminal.place.runs / run_id)):
        assert expected in shown
    content = json.loads(terminal.run("show", "last", "--json").stdout)
    assert content["id"] == run_id
    assert "train/loss" in content["metrics"]
    assert content["events"][0]["kind"] == "started"
    assert "seed: 3" in terminal.run("show", "small", "--config").stdout

    curve = list(csv.DictReader(io.StringIO(terminal.run("show", "last", "--curve", "train/loss").stdout)))
    assert [int(row["step"]) for row in curve] == list(range(1, 17))
    assert float(curve[-1]["value"]) == content["latest"]["train/loss"]
    as_json = json.loads(terminal.run("show", "last", "--curve", "train/loss", "--json").stdout)
    assert as_json["values"] == [float(row["value"]) for row in curve]
    unknown = terminal.run("show", "last", "--curve", "train/lss")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith(f"error: run {run_id} has no metric 'train/lss'; known metrics: ")

    for command in ("stop", "resume"):
        refused = terminal.run(command, run_id)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(f"error: run {run_id} is finished: only ")
        assert refused.stderr.count("\n") == 1


def test_a_failed_run_says_why_on_stderr(terminal):
    done = terminal.run("pretrain", "small.yaml", "--set", "selftest.fail_at_step=3")
    assert done.returncode == 1
    run_id, state, *_ = done.stdout.split()
    assert state == "failed"
    assert "\nerror: the loss is nan at step 3; the largest gradient is" in done.stderr
    assert f"\nlog: {terminal.place.runs / run_id / 'log.txt'}\n" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "the loss is nan at step 3" in terminal.run("show", run_id).stdout
    assert "Traceback" in terminal.run("show", run_id, "--log").stdout


def interrupt_after_a_step(terminal, run: RunDirectory, process: "subprocess.Popen[str]", attempt: int) -> str:
    """Press ctrl-c once the attempt has made a step; what the command has said on stderr."""
    terminal.wait(lambda: any(line["event"] == "metrics" for line in read_lines(run.events(attempt))), "a step")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out.split()[:2]) == (130, [run.id, "stopped"])
    assert "asked to stop: it finishes its step and saves" in err
    assert f"go on with: lovt resume {run.id}\n" in err
    return err


def test_ctrl_c_stops_and_saves_and_resume_goes_on(terminal):
    process = terminal.start("pretrain", "small.yaml", *LONG)
    run = RunDirectory(terminal.place.runs / process.stderr.readline().removeprefix("run ").strip())
    interrupt_after_a_step(terminal, run, process, attempt=1)
    saved = [line for line in read_lines(run.events(1)) if line["event"] == "saved"]
    assert saved

    interrupt_after_a_step(terminal, run, terminal.start("resume", run.id), attempt=2)
    row = terminal.rows()[run.id]
    assert (row["state"], row["attempt"]) == ("stopped", 2)
    curve = json.loads(terminal.run("show", run.id, "--curve", "train/loss", "--json").stdout)
    assert curve["steps"] == list(range(1, row["done"] + 1))


def test_detached_runs_queue_up_and_stop(terminal):
    first = terminal.run("pretrain", "small.yaml", "--detach", *LONG).stdout.strip()
    second = json.loads(terminal.run("pretrain", "small.yaml", "--detach", "--json", *LONG).stdout)["id"]
    assert Path(terminal.place.runs / first).is_dir()
    cancelled = terminal.run("stop", second)
    assert cancelled.stdout == f"{second} was queued and will not start\n"
    terminal.wait(lambda: terminal.state(first).state == "running", "the first run to start")
    assert json.loads(terminal.run("stop", first, "--json").stdout) == {"id": first, "was": "running", "asked": "stop"}
    terminal.wait(lambda: terminal.state(first).state == "stopped", "the first run to stop")
    listed = json.loads(terminal.run("runs", "--state", "cancelled", "--json").stdout)
    assert [row["id"] for row in listed] == [second]
    ambiguous = terminal.run("show", "2")
    assert ambiguous.returncode == 2
    assert "error: '2' fits" in ambiguous.stderr


def test_a_reader_that_leaves_early_is_no_error(terminal):
    for arguments in (("data", "list"), ("runs", "--json"), ("--help",)):
        process = terminal.start(*arguments)
        process.stdout.close()
        assert process.stderr.read() == ""
        process.stderr.close()
        process.wait(timeout=SECONDS)
