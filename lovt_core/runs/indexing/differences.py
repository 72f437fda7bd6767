"""In which settings, metrics and circumstances runs differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lovt_core.runs.records import EventRow, RunRow


@dataclass(frozen=True)
class Difference:
    """Something that two runs do not have in common; None stands for what one of them lacks."""

    key: str
    first: Any
    second: Any


@dataclass(frozen=True)
class RunComparison:
    """Two runs side by side."""

    settings: tuple[Difference, ...]
    """Of their experiments, keys as in `--set`; only what differs."""
    metrics: tuple[Difference, ...]
    """Best and newest values, `best.val/loss` and `latest.train/loss`; all that one of them has."""
    facts: tuple[Difference, ...]
    """Versions, code, machine and place; only what differs."""


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one mapping with dotted keys; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def find_setting(settings: Any, path: str) -> Any:
    """The value at a dotted key, None where there is none."""
    for key in path.split("."):
        settings = settings.get(key) if isinstance(settings, Mapping) else None
    return settings


def differing_keys(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Dotted keys of the settings that are not the same in all of these, in the order in which they stand there."""
    flat = [flatten(experiment) for experiment in experiments]
    keys = dict.fromkeys(key for each in flat for key in each)
    return [key for key in keys if any(each.get(key) != flat[0].get(key) for each in flat)]


def compare_runs(first: RunRow, second: RunRow, starts: tuple[EventRow | None, EventRow | None]) -> RunComparison:
    """Differences of two runs; `starts` are their newest `started` events."""
    settings = flatten(first.experiment), flatten(second.experiment)
    metrics = _metrics(first), _metrics(second)
    facts = _facts(first, starts[0]), _facts(second, starts[1])
    return RunComparison(_differences(*settings), _differences(*metrics, also_equal=True), _differences(*facts))


def _differences(
    first: Mapping[str, Any], second: Mapping[str, Any], also_equal: bool = False
) -> tuple[Difference, ...]:
    keys = dict.fromkeys((*first, *second))
    pairs = (Difference(key, first.get(key), second.get(key)) for key in keys)
    return tuple(pair for pair in pairs if also_equal or pair.first != pair.second)


def _metrics(row: RunRow) -> dict[str, float]:
    best = {f"best.{name}": value for name, value in sorted(row.best.items())}
    return best | {f"latest.{name}": value for name, value in sorted(row.latest.items())}


def _facts(row: RunRow, started: EventRow | None) -> dict[str, Any]:
    """What its record tells of a run beside its experiment, as flat keys."""
    told = started.data if started else {}
    origin = {key: row.origin.get(key) for key in ("version", "python", "git", "code", "machine", "parent")}
    kept = ("processor", "cores", "memory", "driver", "version", "python", "versions", "code")
    worker = {key: told[key] for key in kept if key in told}
    gpus = [gpu.get("name") for gpu in told.get("gpus", []) if isinstance(gpu, dict)]
    state = {"state": row.state, "attempt": row.attempt, "host": row.host, "slot": row.slot, "gpus": gpus}
    flat = flatten({**state, "queued": origin, "started": worker})
    return {key: value for key, value in flat.items() if value != {}}
