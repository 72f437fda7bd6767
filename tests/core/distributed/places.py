"""Workplaces and self-tests that two processes share."""

from lovt_core.config.experiment import SelftestExperiment
from tests.core.evaluation.factories import make_place as make_workplace


def make_place(folder, **changes):
    """A place on the CPU in a new folder."""
    return make_workplace(folder / "prepared", folder, **changes)


def build_selftest(seconds_per_step=0.0, epochs=2, fail_at_step=None):
    """Four batches of 8 an epoch, two of them to a step."""
    return SelftestExperiment.model_validate(
        {
            "selftest": {"samples": 32, "seconds_per_step": seconds_per_step, "fail_at_step": fail_at_step},
            "training": {
                "batch_size": 8,
                "accumulate": 2,
                "max_epochs": epochs,
                "precision": "fp32",
                "device": "cpu",
                "cpu_processes": 2,
                "early_stopping": None,
            },
        }
    )
