"""What a trial's runs have told so far, read from their event files, each byte once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.lines import complete_lines, decode_number
from lovt_core.runs.state import RunState, read_state


@dataclass
class RunFollower:
    """One run: its state, its metrics by epoch and the validation scores of tasks."""

    run: RunDirectory
    watched: frozenset[str]
    """Metrics that somebody wants to know."""
    curves: dict[str, dict[int, float]] = field(default_factory=dict)
    """Metric -> epoch -> value; of an epoch done twice, after a resume, the newer."""
    scores: dict[str, float] = field(default_factory=dict)
    """Task -> validation score with the chosen learning rate."""
    reported: set[str] = field(default_factory=set)
    """Names of all metrics so far, watched or not."""
    began: float | None = None
    """When its first attempt started, in Unix seconds."""
    has_all_steps: bool = False
    """Whether it has trained as long as it is to: nothing but its last validation and checkpoint is still to come."""
    _offsets: dict[Path, int] = field(default_factory=dict)

    def read(self) -> RunState:
        """State now, and whatever was written since the last look; the state comes first, so it is never ahead."""
        state = read_state(self.run)
        for attempt in range(1, state.attempt + 1):
            self._read_file(self.run.events(attempt))
        return state

    def _read_file(self, path: Path) -> None:
        offset = self._offsets.get(path, 0)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                lines, length = complete_lines(file.read())
        except FileNotFoundError:
            return
        self._offsets[path] = offset + length
        for line in lines:
            self._take_in(line)

    def _take_in(self, line: Mapping[str, Any]) -> None:
        if self.began is None and isinstance(line.get("t"), int | float):
            self.began = float(line["t"])
        match line.get("event"), line.get("data"):
            case "metrics", _:
                epoch = round(float(line.get("epoch", 0.0)))
                self.reported |= line.get("values", {}).keys()
                for name in self.watched & line.get("values", {}).keys():
                    self.curves.setdefault(name, {})[epoch] = decode_number(line["values"][name])
                self.has_all_steps = "total" in line and line.get("step", 0) >= line["total"]
            case "result", {"type": "search", "task": str(task), "validation": [_, *_] as validation}:
                self.scores[task] = max(float(score) for score in validation)
