"""On which terms a run starts: what it waits for, how much of a GPU it needs, how often it is tried again.

Terms stand in the `queued` records of control.jsonl; a later one changes only what it names.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from lovt_core.runs.control import ControlRecord

SLURM = "slurm"
"""The launcher that hands attempts to Slurm; any other starts them on this machine."""


@dataclass(frozen=True)
class Retry:
    """How often, and after which causes, a failed run goes on by itself."""

    times: int = 0
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What was said when a run was queued; None: nothing, the workspace's settings count."""

    priority: int = 0
    """Higher ones start first."""
    gpus: int | None = None
    """How many GPUs it computes on; None: one, where there are any."""
    gpu_memory: float | None = None
    """GB of a GPU that it declares to need; None: a whole GPU."""
    allowed_gpus: str | None = None
    """`CUDA_VISIBLE_DEVICES` of whoever queued it."""
    after: tuple[str, ...] = ()
    """Ids of runs that must have finished before."""
    retry: Retry | None = None
    group: str | None = None
    """Common to the runs of one `--repeat`."""
    settings: Mapping[str, Any] | None = None
    """Values laid over its experiment from this attempt on, such as `training.max_epochs`."""
    launcher: str | None = None
    """`local` or `slurm`; None: this machine."""

    def to_json(self) -> dict[str, Any]:
        """Details of a `queued` record: what was said, nothing else."""
        unsaid = asdict(Terms())
        return {key: value for key, value in asdict(self).items() if value != unsaid[key]}


def read_terms(records: Iterable[ControlRecord]) -> Terms:
    """The terms that all `queued` records leave, in their order; values of a wrong type count as not said."""
    terms = Terms()
    for item in records:
        if item.operation == "queued":
            terms = _lay_over(terms, item.details)
    return terms


def parse_terms(said: Mapping[str, Any]) -> Terms:
    """Terms from what `to_json` wrote."""
    return _lay_over(Terms(), said)


def _lay_over(terms: Terms, said: Mapping[str, Any]) -> Terms:
    known: dict[str, Any] = {}
    for name, read in READERS.items():
        with suppress(TypeError, ValueError, KeyError):
            known[name] = read(said[name])
    if "settings" in known:
        known["settings"] = {**(terms.settings or {}), **known["settings"]}
    return replace(terms, **known)


READERS: dict[str, Callable[[Any], Any]] = {
    "priority": int,
    "gpus": int,
    "gpu_memory": float,
    "allowed_gpus": str,
    "after": lambda ids: tuple(str(run_id) for run_id in ids),
    "retry": lambda retry: Retry(int(retry["times"]), tuple(str(cause) for cause in retry["causes"])),
    "group": str,
    "settings": dict,
    "launcher": str,
}
"""How each term is read from JSON."""
