"""How many trials are at work at once, where a sweep does not say."""

from lovt_core.config.settings import Settings
from lovt_core.runs.gpus import choose_gpus, read_gpus
from lovt_core.runs.terms import SLURM, Terms

SLURM_JOBS = 8
"""Trials at once on a cluster."""


def count_places(settings: Settings, terms: Terms) -> int:
    """Runs that this machine computes at once; a cluster takes what it is given."""
    if terms.launcher == SLURM or (terms.launcher is None and settings.launcher == "slurm"):
        return SLURM_JOBS
    gpus = read_gpus()
    usable = choose_gpus(gpus, settings.gpus) if settings.gpus is not None else gpus
    return len(usable) * settings.runs_per_gpu if usable else settings.cpu_slots
