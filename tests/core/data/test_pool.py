import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lovt_core.data.pool import map_in_order
from lovt_core.errors import LovtError


def slow_square(number):
    time.sleep(0.01 if number % 3 else 0.03)
    return number * number


def tell_process(_):
    return os.getpid()


def die_at_ten(number):
    if number == 10:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2, None])
def test_results_come_in_order(workers):
    assert list(map_in_order(slow_square, range(40), workers)) == [number * number for number in range(40)]


def test_few_arguments_need_no_processes():
    assert set(map_in_order(tell_process, range(5), 2)) == {os.getpid()}
    assert os.getpid() not in set(map_in_order(tell_process, range(40), 2))
    assert list(map_in_order(tell_process, (), 2)) == []


def test_a_killed_process_is_the_machines_fault():
    with pytest.raises(LovtError, match="a worker process was killed, most likely for lack of memory") as caught:
        list(map_in_order(die_at_ten, range(40), 2))
    assert caught.value.exit_code == 1


def test_closing_ends_the_processes():
    results = map_in_order(tell_process, range(1000), 2)
    process = next(results)
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_processes_end_with_a_killed_parent():
    command = [sys.executable, "-m", "tests.core.data.endless_pool"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(child)


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
