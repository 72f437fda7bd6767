"""The dashboard in a real terminal, from beginning to end, as people drive it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lovt_core.runs.directory import list_runs
from lovt_core.runs.state import read_state
from lovt_core.runs.workspace import Workspace
from lovt_tui.actions.runs import stop_runs
from tests.core.runs.conftest import wait_until
from tests.core.runs.conftest import workspace as workspace  # a fixture

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
LOVT_TUI = (sys.executable, "-c", "from lovt_tui.main import main; main()")
WAIT_SECONDS = 60.0
EXPERIMENT = """\
kind: selftest
name: live
selftest: {seconds_per_step: 0.1}
training: {batch_size: 8, accumulate: 1, max_epochs: 500, precision: fp32, device: cpu}
"""


class Tmux:
    """One window of a tmux server of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._socket = f"lovt-{uuid.uuid4().hex[:8]}"
        self._environment = {**os.environ, **environment, "LC_ALL": "C.UTF-8"}
        self.call("-f", "/dev/null", "new-session", "-d", "-s", "it", "-x", "100", "-y", "30", "-c", str(folder), "sh")

    def call(self, *arguments: str) -> str:
        command = ("tmux", "-L", self._socket, *arguments)
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout

    def type(self, *keys: str) -> None:
        self.call("send-keys", "-t", "it", *keys)

    def screen(self) -> str:
        return self.call("capture-pane", "-p", "-t", "it")

    def wait_for(self, *texts: str) -> str:
        """The screen as soon as it shows all of them."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            shown = self.screen()
            if all(text in shown for text in texts):
                return shown
            time.sleep(0.1)
        pytest.fail(f"waited for {texts}, the terminal shows:\n{self.screen()}")

    def resize(self, width: int, height: int) -> None:
        self.call("resize-window", "-t", "it", "-x", str(width), "-y", str(height))

    def close(self) -> None:
        subprocess.run(("tmux", "-L", self._socket, "kill-server"), check=False, capture_output=True)


@pytest.fixture
def terminal(workspace: Workspace, tmp_path: Path) -> Iterator[Tmux]:
    """A shell in a folder with one experiment file, on the workspace of this test."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "live.yaml").write_text(EXPERIMENT)
    tmux = Tmux(here, {"LOVT_HOME": str(workspace.path), "XDG_STATE_HOME": str(tmp_path / "state")})
    yield tmux
    tmux.close()
    for run in list_runs(workspace):
        if read_state(run).is_active:
            stop_runs(workspace, [run.id])


def start(terminal: Tmux, *options: str) -> None:
    terminal.type(f"exec {shlex.join((*LOVT_TUI, *options))}", "Enter")


def queue_live(terminal: Tmux) -> None:
    """Find live.yaml on the New screen, open it and queue it."""
    terminal.type("n")
    terminal.wait_for("live.yaml")
    terminal.type("/")
    terminal.wait_for("part of a name")
    terminal.type("live.yaml")
    terminal.wait_for("/ live.yaml")
    terminal.type("Enter")
    terminal.wait_for("enter open")
    terminal.type("Enter")
    terminal.wait_for("selftest live can be queued")
    terminal.type("C-s")


def test_start_watch_stop_resume_export_quit(terminal, workspace, tmp_path):
    terminal.type(shlex.join(LOVT_TUI), "Enter")
    terminal.wait_for("No runs yet. Press n")
    queue_live(terminal)
    terminal.wait_for("[1 Runs]", "● running", "live")
    terminal.type("Enter")
    terminal.wait_for("[charts]", "train/loss", "⠉")
    for size in ((60, 20), (140, 45), (40, 10), (20, 5), (100, 30)):
        terminal.resize(*size)
    terminal.wait_for("[charts]", "train/loss")
    terminal.type("x")
    terminal.wait_for("Stop live?")
    terminal.type("y")
    terminal.wait_for("■ stopped")
    terminal.type("r")
    terminal.wait_for("● running", "attempt 2")
    terminal.type("Escape")
    terminal.wait_for("[1 Runs]")
    terminal.type("4")
    terminal.wait_for("No evaluations yet")
    terminal.type("1", "e")
    terminal.wait_for("What to save")
    terminal.type("Enter")
    terminal.wait_for("Save list of 1 run")
    terminal.type("Enter")
    wait_until(lambda: (tmp_path / "here" / "runs.csv").exists(), "the file")
    assert "live" in (tmp_path / "here" / "runs.csv").read_text()
    terminal.type("q")
    terminal.type("echo le''ft", "Enter")
    terminal.wait_for("left")
    (run,) = list_runs(workspace)
    assert read_state(run).state == "running"  # quitting never stops a run


def test_suspended_and_woken_by_the_shell(terminal):
    terminal.type("PS1='shell> '; set -m", "Enter")
    terminal.type(shlex.join(LOVT_TUI), "Enter")
    terminal.wait_for("No runs yet. Press n")
    terminal.type("2")
    terminal.wait_for("[2 New]")
    terminal.type("C-z")
    terminal.wait_for("shell>", "Stopped")
    terminal.type("echo st''opped", "Enter")
    terminal.wait_for("stopped")
    terminal.type("fg", "Enter")
    terminal.wait_for("[2 New]", "live.yaml")
    terminal.type("o")
    terminal.wait_for("Open an experiment")
    terminal.type("C-z")
    terminal.wait_for("shell>", "Stopped")
    terminal.type("fg", "Enter")
    terminal.wait_for("Open an experiment")
    terminal.type("Escape")
    wait_until(lambda: "Open an experiment" not in terminal.screen(), "the list")
    terminal.type("1")
    terminal.wait_for("[1 Runs]")


def test_without_a_shell_nothing_is_suspended(terminal):
    start(terminal)
    terminal.wait_for("No runs yet. Press n")
    terminal.type("C-z")
    terminal.wait_for("no shell could wake")


def test_killed_and_started_again(terminal, workspace):
    start(terminal)
    terminal.wait_for("No runs yet")
    queue_live(terminal)
    terminal.wait_for("● running")
    pid = int(terminal.call("display-message", "-p", "-t", "it", "#{pane_pid}"))
    terminal.call("set-option", "-t", "it", "remain-on-exit", "on")
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    (run,) = list_runs(workspace)
    assert read_state(run).state == "running"
    terminal.call("respawn-pane", "-k", "-t", "it", shlex.join(LOVT_TUI))
    terminal.wait_for("● running", "live")


def test_a_locale_without_unicode_is_drawn_in_ascii(terminal):
    terminal.type(f"LC_ALL=C NO_COLOR=1 exec {shlex.join(LOVT_TUI)}", "Enter")
    shown = terminal.wait_for("No runs yet")
    assert shown.isascii()


def test_a_failure_of_the_dashboard_says_where_the_details_are(terminal, tmp_path):
    program = (
        "from lovt_tui.screens.runs import RunsScreen; RunsScreen.show = lambda *_: 1 / 0; "
        "from lovt_tui.main import main; main()"
    )
    terminal.type(shlex.join((sys.executable, "-c", program)), "Enter")
    shown = terminal.wait_for("The dashboard failed (ZeroDivisionError: division by zero)", "Details:")
    assert "Traceback" not in shown
    (details,) = (tmp_path / "state" / "lovt").glob("dashboard-error-*.txt")
    assert "ZeroDivisionError" in details.read_text()
