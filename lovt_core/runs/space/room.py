"""Whether the disk has room for another run, by what earlier runs of the same kind have taken."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lovt_core.config.experiment import Experiment
from lovt_core.errors import InputError
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import complete_lines
from lovt_core.runs.records import RunRow
from lovt_core.runs.space.sizes import CHECKPOINT, STATE_SUFFIX, Scale, format_size, measure_checkpoint, scan
from lovt_core.runs.workspace import Workspace

AT_ONCE: Final = 3
"""Checkpoints of a training that lie on the disk together: last, best, and the one being written."""
KEPT: Final = 2
"""Those that a finished one leaves: last and best."""
LOOKED_AT: Final = 10
"""Newest runs of a kind whose sizes are asked for."""
TAIL_BYTES: Final = 65_536
"""The newest `saved` event of a run that has ended lies within them."""
NOT_SIZED: Final = ("objective", "padding")
"""Parts of a method that change no size."""


@dataclass(frozen=True)
class CheckpointSize:
    """Bytes of the largest checkpoint seen."""

    weights: int
    state: int

    @property
    def total(self) -> int:
        """What one takes while its training goes on."""
        return self.weights + self.state


def check_room(
    workspace: Workspace, experiment: Experiment, rows: Sequence[RunRow], keep_free: int = 0, *, count: int = 1
) -> None:
    """Raise InputError with the figures where `count` runs of an experiment would leave less than `keep_free` bytes.

    A training takes as many checkpoints as lie there at once, each as large as the largest seen of the same models; an
    evaluation what its feature cache may grow by. What the active ones among `rows` (all runs of the workspace) will
    still take is taken off too. Where no size is known nothing is checked.
    """
    wanted = experiment.model_dump(mode="json", by_alias=True)
    sizes = _Sizes(workspace, rows)
    own = sizes.find(wanted)
    free = shutil.disk_usage(workspace.path).free
    if free < keep_free:
        raise InputError(
            f"the disk of {workspace.path} has {format_size(free)} free, less than the {format_size(keep_free)} to be "
            f"kept free: make room (lovt du, lovt gc), or lower keep_free_gb in {workspace.settings.name}"
        )
    if own is None and not _feature_budget(wanted):
        return
    training = 0 if own is None else AT_ONCE * own.total + (count - 1) * _left_behind(own, wanted)
    active = [row for row in rows if row.is_active]
    others = sum(_still_to_come(workspace, row, sizes.find(row.experiment)) for row in active)
    features = _features_to_come(workspace, [wanted, *(row.experiment for row in active)])
    if training + others + features + keep_free <= free:
        return
    parts = [f"{AT_ONCE} checkpoints of {format_size(own.total)} at once"] if own is not None else []
    parts += [f"what {count - 1} more leave behind"] if count > 1 and own is not None else []
    parts += [f"{format_size(features)} of features"] if features else []
    already = f", and runs that are queued or at work will take {format_size(others)} more" if others else ""
    raise InputError(
        f"the disk of {workspace.path} has {format_size(free)} free, of which {format_size(keep_free)} are kept free; "
        f"this needs up to {format_size(training + features)} ({', '.join(parts)}){already}: make room (lovt du, "
        f"lovt gc), or lower keep_free_gb in {workspace.settings.name}"
    )


class _Sizes:
    """Sizes of checkpoints by what decides them, each looked for once."""

    def __init__(self, workspace: Workspace, rows: Sequence[RunRow]) -> None:
        self._workspace = workspace
        self._rows = rows
        self._known: dict[str, CheckpointSize | None] = {}

    def find(self, experiment: Mapping[str, Any]) -> CheckpointSize | None:
        """Of the newest runs with the same models; None where there is none, or they left nothing."""
        key = _describe_models(experiment)
        if key is None:
            return None
        if key not in self._known:
            self._known[key] = self._measure(key)
        return self._known[key]

    def _measure(self, key: str) -> CheckpointSize | None:
        seen: list[CheckpointSize] = []
        for row in sorted(self._rows, key=lambda row: -row.created):
            if len(seen) < LOOKED_AT and _describe_models(row.experiment) == key:
                size = measure_largest(RunDirectory(self._workspace.runs / row.id), row.attempt)
                seen += [size] if size.weights else []
        if not seen:
            return None
        return CheckpointSize(max(size.weights for size in seen), max(size.state for size in seen))


def _describe_models(experiment: Mapping[str, Any]) -> str | None:
    """What decides how large a checkpoint is, as text; None for runs that save none."""
    match experiment:
        case {"kind": "pretrain", "method": {**method}, "training": {"optimiser": {"name": optimiser}}}:
            sized = {name: _without_weights(part) for name, part in method.items() if name not in NOT_SIZED}
            return json.dumps([sized, optimiser], sort_keys=True)
        case {"kind": "selftest", "selftest": {"width": width}}:
            return f"selftest {width}"
    return None


def _without_weights(part: Any) -> Any:
    """A model's settings without where its first weights come from."""
    return {key: value for key, value in part.items() if key != "weights"} if isinstance(part, dict) else part


def measure_largest(run: RunDirectory, attempt: int) -> CheckpointSize:
    """The largest checkpoint in a run's directory, or noted in its newest `saved` event; zeros where nothing is known.

    State is gone from the directory of a finished run, which is why events may carry sizes (`measure_checkpoint`).
    """
    names = {entry.name.removesuffix(STATE_SUFFIX) for entry in scan(run.checkpoints)}
    found = [measure_checkpoint(run, name) for name in names if CHECKPOINT.fullmatch(name)]
    found += _read_noted(run.events(attempt))
    weights, state = ([size[part] for size in found] for part in ("weights", "state"))
    return CheckpointSize(max(weights, default=0), max(state, default=0))


def _read_noted(events: Path) -> list[dict[str, int]]:
    """Sizes in the newest `saved` event of a file."""
    try:
        with events.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            lines = complete_lines(file.read())[0]
    except OSError:
        return []
    for line in reversed(lines):
        match line:
            case {"event": "saved", "bytes": {"weights": int(weights), "state": int(state)}}:
                return [{"weights": weights, "state": state}]
    return []


def _left_behind(size: CheckpointSize, experiment: Mapping[str, Any]) -> int:
    """What a finished training keeps."""
    keeps_state = bool(experiment.get("training", {}).get("keep_state"))
    return KEPT * (size.total if keeps_state else size.weights)


def _still_to_come(workspace: Workspace, row: RunRow, size: CheckpointSize | None) -> int:
    """What an active training will still take: a queued one what it will leave, one at work its peak."""
    if size is None:
        return 0
    there = Scale().weigh(RunDirectory(workspace.runs / row.id).checkpoints)
    full = _left_behind(size, row.experiment) if row.state == "queued" else AT_ONCE * size.total
    return max(0, full - there)


def _features_to_come(workspace: Workspace, experiments: Sequence[Mapping[str, Any]]) -> int:
    """What the feature cache, one folder for all, may grow by."""
    budget = max((_feature_budget(experiment) for experiment in experiments), default=0)
    return max(0, budget - Scale().weigh(workspace.path / "features")) if budget else 0


def _feature_budget(experiment: Mapping[str, Any]) -> int:
    match experiment:
        case {"kind": "evaluate", "cache": {"disk_gb": int() | float() as gigabytes}}:
            return int(gigabytes * 1e9)
    return 0
