"""Installed from a built wheel, outside the checkout, both commands work and find the shipped experiment files."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from lovt_core import __version__
from lovt_core.config.loading import shipped_experiments, shipped_folder
from lovt_core.runs.locks import is_locked
from lovt_core.runs.workspace import Workspace
from tests.core.runs.conftest import wait_until

ROOT = Path(__file__).parents[1]
SELFTEST = """
kind: selftest
name: small
training: {batch_size: 8, accumulate: 1, max_epochs: 1, precision: fp32, device: cpu}
"""


@dataclass(frozen=True)
class Installed:
    """A wheel, and where it is unpacked with its commands."""

    wheel: Path
    site: Path
    folder: Path
    """Where the commands are called."""

    def run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """An installed command in a process that sees the wheel's packages before the checkout's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOVT_")}
        environment = {
            **kept,
            "PYTHONPATH": str(self.site),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(
            [command if command == sys.executable else self.site / "bin" / command, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Installed:
    """Build and install, without a network and without touching the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", ROOT]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        folder / "site",
        wheel,
    ]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "elsewhere").mkdir()
    return Installed(wheel, folder / "site", folder / "elsewhere")


def test_wheel_holds_what_the_program_reads(installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = set(wheel.namelist())
    assert {
        "lovt_tui/lovt.tcss",
        "lovt_core/results/published.csv",
        "lovt_core/results/templates/comparison.html.j2",
        "lovt_core/results/published_runs.csv",
        "lovt_core/py.typed",
    } <= names
    shipped = {f"lovt_core/shipped_experiments/{file.relative_to(shipped_folder())}" for file in shipped_experiments()}
    assert shipped <= names
    lists = {f"{name}.csv.xz" for name in ("rsna", "siim", "nih-cxr", "object-cxr", "covid-rural")}
    published = {f"lovt_core/data/published/{name}" for name in (*lists, "LICENSE", "mimic_excluded_studies.txt")}
    assert published <= names
    assert not [name for name in names if name.startswith(("tests/", "experiments/")) or "__pycache__" in name]


def test_commands_say_their_version_and_help(installed):
    for command in ("lovt", "lovt-tui"):
        version = installed.run(command, "--version")
        assert (version.returncode, version.stdout) == (0, f"{command} {__version__}\n")
        assert installed.run(command, "--help").stdout.lower().startswith("usage: lovt")


def test_shipped_experiments_are_found_inside_the_package(installed):
    program = "from lovt_core.config.loading import *; "
    program += "print(find_experiment_file('tiny/lovt'), len(shipped_experiments()))"
    found, number = installed.run(sys.executable, "-c", program).stdout.split()
    assert Path(found) == installed.site / "lovt_core" / "shipped_experiments" / "tiny" / "lovt.yaml"
    assert int(number) == len(shipped_experiments())
    answer = installed.run("lovt", "pretrain", "experiments/tiny/lovt.yaml")
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: data set covid-chestxray is not prepared")


def test_a_run_goes_through_scheduler_and_worker(installed):
    (installed.folder / "small.yaml").write_text(SELFTEST)
    done = installed.run("lovt", "pretrain", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert " finished" in done.stdout
    place = Workspace(installed.folder / "lovt-workspace")
    wait_until(lambda: not is_locked(place.scheduler_lock), "the scheduler to leave", 60)
