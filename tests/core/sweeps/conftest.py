"""Sweeps over a self-test, in a workspace of their own, with real coordinators and workers."""

import pytest

from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.runs.locks import is_locked
from lovt_core.sweeps.folder import list_sweeps
from tests.core.runs.conftest import selftest, wait_until
from tests.core.runs.conftest import workspace as workspace  # a fixture

SPACE = {
    "training.optimiser.learning_rate": {"type": "float", "low": 1e-5, "high": 1.0, "log": True},
    "training.optimiser.name": {"type": "categorical", "choices": ["adamw", "adam"]},
}


def make_sweep(base=None, **changes) -> Sweep:
    """Six trials of two epochs, two at once."""
    fields = {
        "name": "small",
        "experiment": "base.yaml",
        "space": SPACE,
        "objective": {"metric": "val/loss"},
        "trials": 6,
        "jobs": 2,
    }
    return Sweep(SweepConfig.model_validate(fields | changes), base or selftest(), None)


@pytest.fixture
def place(workspace):
    """A workspace in which two runs compute at once; its coordinators have left at the end of the test."""
    workspace.settings.write_text("cpu_slots: 2\n")
    yield workspace
    for folder in list_sweeps(workspace):
        wait_until(lambda lock=folder.lock: not is_locked(lock), f"the coordinator of {folder.name} to leave")
