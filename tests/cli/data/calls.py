"""Calling `lovt data` as a test does: in this process, or as a program."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lovt_core.errors import LovtError
from lovt_tui.cli.data.commands import app

PROJECT = Path(__file__).parents[3]


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def prepare(name, source, *options):
    return invoke("prepare", name, "--source", source, "--size", 32, "--workers", 1, *options)


def refused(name, source, *options):
    """The message of a preparation that is refused with exit code 2."""
    with pytest.raises(LovtError) as caught:
        prepare(name, source, *options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def run_program(*arguments):
    command = [sys.executable, "-m", "lovt_tui.cli.main", "data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
