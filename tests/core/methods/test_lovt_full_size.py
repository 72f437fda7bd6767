"""The shipped LoVT-100 at its full size runs a step on a CPU within 24 GiB (benchmarks/full_size_step.py)."""

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "full_size_step.py"
LIMIT_GIB = 24
NEEDED_GIB = 10
"""What a step takes, with room to spare: on a machine that lacks it the test would only push others out of memory."""


@pytest.mark.slow
@pytest.mark.skipif(psutil.virtual_memory().available < NEEDED_GIB * 2**30, reason=f"needs {NEEDED_GIB} GiB of memory")
def test_a_step_fits_into_24_gib():
    command = [sys.executable, str(SCRIPT), "--steps", "1", "--tokens", "128"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "167,510,336 parameters" in said
    found = re.search(r"peak ([\d.]+) GiB, loss ([\d.]+)", said)
    assert 1 < float(found[1]) < LIMIT_GIB
    assert 0 < float(found[2]) < 20
