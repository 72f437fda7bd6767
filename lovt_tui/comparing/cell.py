"""What is known of one entry of the comparison, in lines: its replicates, search, run, protocol, data, notes."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from lovt_tui.comparing.legend import wrap_text
from lovt_tui.formatting import Cell, clean, format_number, format_progress, format_state
from lovt_tui.widgets.line_view import Line

if TYPE_CHECKING:
    from lovt_core.results.cells import Cell as ResultCell
    from lovt_core.results.column import Column
    from lovt_core.results.comparison import Comparison, Entry, Missing, Row, Score
    from lovt_core.runs.records import RunRow, StoredResult

CHOSEN = "◀ chosen"
FINGERPRINT_LENGTH = 12
NEED_BACKBONE = ("random", "random-fitted", "imagenet")
"""Sources that do not bring one, as files do not."""
RANKS = {1: "best of its column", 2: "second best of its column"}


@dataclass(frozen=True)
class Entrance:
    """One entry with all that is around it."""

    row: "Row"
    column: "Column"
    entry: "Entry"
    run: "RunRow | None"
    """The run that brought the score, or is to bring it."""
    run_id: str | None
    results: "tuple[StoredResult, ...]"
    """Of that run and task."""
    pin: str | None

    @property
    def title(self) -> str:
        """Row and task."""
        return f"{clean(self.row.label)} · {clean(self.column.task)}"

    @property
    def is_scored(self) -> bool:
        """Whether there is a score."""
        from lovt_core.results.comparison import Score

        return isinstance(self.entry, Score)

    @property
    def is_own(self) -> bool:
        """Whether the row is of runs of this workspace: neither published nor imported."""
        from lovt_core.results.comparison import Missing

        return any(
            entry.run_id is not None if isinstance(entry, Missing) else entry.cell is not None
            for entry in self.row.scores
        )


def find_entrance(
    comparison: "Comparison",
    place: tuple[int, int],
    runs: "Sequence[RunRow]",
    results: "Sequence[tuple[StoredResult, ...]]",
) -> Entrance:
    """The entry at (row, column), with its run and what the run has stored for the task."""
    from lovt_core.results.comparison import Missing

    row, column = comparison.rows[place[0]], comparison.columns[place[1]]
    entry = row.scores[place[1]]
    if isinstance(entry, Missing):
        run_id = entry.run_id
    else:
        run_id = None if entry.cell is None else entry.cell.run_id
    own = next((group for group in results if group and group[0].run_id == run_id), ())
    stored = tuple(result for result in own if result.data.get("task") == column.task)
    run = next((each for each in runs if each.id == run_id), None)
    return Entrance(row, column, entry, run, run_id, stored, comparison.pin)


def entry_lines(entrance: Entrance) -> tuple[Line, ...]:
    """All of it, what says most first."""
    from lovt_core.results.comparison import Missing

    if isinstance(entrance.entry, Missing):
        return tuple(_missing_lines(entrance, entrance.entry))
    return tuple(_score_lines(entrance, entrance.entry))


def brief_line(entrance: Entrance) -> Line:
    """The entry in one line, for a low terminal."""
    from lovt_core.results.comparison import Missing
    from lovt_core.results.footnotes import format_score

    entry = entrance.entry
    text = entry.state if isinstance(entry, Missing) else f"{format_score(entry)} n={entry.num_replicates}"
    return (Cell(text, "strong"), Cell(f" {clean(entrance.column.task)}"), Cell(f" {clean(entrance.row.label)}", "dim"))


def _score_lines(entrance: Entrance, score: "Score") -> list[Line]:
    lines = [_headline(entrance, score)]
    if score.difference is not None:
        lines.append(_difference_line(entrance, score))
    lines += [line for note in score.notes for line in wrap_text(note, "! ")]
    if score.cell is None:
        lines.append((Cell(_origin_of(entrance)),))
    lines += _replicate_lines(score, entrance.results)
    if score.cell is not None:
        lines += [*_search_lines(score.cell, entrance), *_run_lines(entrance), *_identity_lines(score.cell)]
    return lines


def _headline(entrance: Entrance, score: "Score") -> Line:
    from lovt_core.results.footnotes import format_score

    rank = RANKS.get(score.rank or 0)
    spread = "95 % interval" if score.ci95 is not None else "no interval"
    text = f"  {clean(entrance.column.metric_title)}, {spread} of n = {score.num_replicates}"
    return (Cell(format_score(score), "strong"), Cell(text), Cell(f"  · {rank}" if rank else "", "accent"))


def _difference_line(entrance: Entrance, score: "Score") -> Line:
    from lovt_core.results.footnotes import format_difference

    pin = clean(entrance.pin or "")
    if score.p_value is None:
        verdict = "cannot be tested"
    else:
        word = "significant" if score.is_significant else "not significant"
        more = ", exploratory with so few replicates" if score.is_exploratory else ""
        verdict = f"p = {format_number(score.p_value, 2)} after Holm's correction: {word} at 5 %{more}"
    return (Cell(format_difference(score), "strong"), Cell(f" points against {pin}; {verdict}"))


def _origin_of(entrance: Entrance) -> str:
    if entrance.row.is_published:
        return "Published by the authors; not measured here."
    return "Imported from a file; not measured here."


def _replicate_lines(score: "Score", results: "Sequence[StoredResult]") -> list[Line]:
    if not score.values:
        return [(Cell("The scores of its replicates are unknown.", "dim"),)]
    known = _collect(results, "replicate", "replicate")
    lines: list[Line] = [(), (Cell("replicate   test %  validation %       seed  best epoch", "dim"),)]
    for number, value in enumerate(score.values):
        data = known.get(number, {})
        is_same = data.get("value") == value
        seed, epoch = (str(data.get(key, "")) if is_same else "" for key in ("seed", "best_epoch"))
        validation = _percent(data.get("validation")) if is_same else ""
        epochs = f"{epoch} of {data['epochs']}" if epoch and "epochs" in data else epoch
        lines.append((Cell(f"{number + 1:>9}  {_percent(value):>7}  {validation:>12} {clean(seed):>10}  {epochs}"),))
    return lines


def _search_lines(cell: "ResultCell", entrance: Entrance) -> list[Line]:
    """Rates tried with their validation scores; of a search that was not stored as one, the rates alone."""
    tried = {rate: data.get("validation") for rate, data in _collect(entrance.results, "rate", "learning_rate").items()}
    chosen = None
    for result in entrance.results:
        match result.data:
            case {"type": "search", "learning_rates": [*rates], "validation": [*scores], "chosen": chosen}:
                known = zip(rates, scores, strict=False)
                tried |= {rate: score for rate, score in known if isinstance(rate, int | float)}
            case {"type": "cell", "learning_rate": chosen}:
                pass
    if not tried:
        text = f"learning rate {chosen:g}, not searched" if isinstance(chosen, float) else "no search is stored"
        return [(), (Cell(text, "dim"),)]
    lines: list[Line] = [(), (Cell("learning rate  validation %", "dim"),)]
    for rate, validation in sorted(tried.items(), reverse=True):
        mark = f"  {CHOSEN}" if rate == chosen else ""
        lines.append((Cell(f"{rate:>13g}  {_percent(validation):>12}"), Cell(mark, "accent")))
    return lines


def _run_lines(entrance: Entrance) -> list[Line]:
    if entrance.run_id is None:
        return []
    lines: list[Line] = [(), (Cell("run       ", "dim"), Cell(clean(entrance.run_id)))]
    if entrance.run is None:
        return [*lines, (Cell("          its directory is gone", "warning"),)]
    run = entrance.run
    lines.append((Cell("          "), format_state(run), Cell(f"  attempt {run.attempt}" if run.attempt > 1 else "")))
    return lines


def _identity_lines(cell: "ResultCell") -> list[Line]:
    marks = f" ({', '.join(cell.protocol.marks)})" if cell.protocol.marks else ""
    kind = "its own images" if cell.data.genuine else "synthetic data" if cell.data.synthetic else "other images"
    trained = f", pre-trained on {', '.join(cell.encoder.pretrained_on)}" if cell.encoder.pretrained_on else ""
    facts = (
        ("protocol", f"{cell.protocol.name}{marks}", cell.protocol.fingerprint),
        ("data", f"{cell.data.name}, {kind}", cell.data.fingerprint),
        ("split", cell.data.split, cell.data.split_fingerprint),
        ("encoder", f"{cell.encoder.source}, {cell.encoder.backbone}{trained}", cell.encoder.fingerprint),
    )
    return [
        (Cell(f"{name:<10}", "dim"), Cell(clean(text)), Cell(f"  {clean(mark[:FINGERPRINT_LENGTH])}", "dim"))
        for name, text, mark in facts
    ]


def _missing_lines(entrance: Entrance, missing: "Missing") -> list[Line]:
    match missing.state:
        case "not run" if entrance.row.is_published:
            return [(Cell("The paper has no such score.", "dim"),)]
        case "not run":
            return [(Cell("Not run: nothing is queued for it.", "strong"),), *_advise(entrance)]
        case "queued":
            why = clean(entrance.run.detail) if entrance.run and entrance.run.detail else "it waits for a free slot"
            return [*wrap_text(why, "Queued: "), *_run_lines(entrance)]
        case "running":
            return [_progress_line(entrance), *_run_lines(entrance), *_so_far_lines(entrance)]
        case "failed":
            why = clean(entrance.run.detail) if entrance.run and entrance.run.detail else "its run says no reason"
            lines = [*wrap_text(why, "Failed: "), *_run_lines(entrance)]
            return [*lines, (), (Cell("f queues it again; o opens the run, where r resumes it."),)]


def _advise(entrance: Entrance) -> list[Line]:
    """How to get the score: of a row of one's own, as a command too."""
    from lovt_core.results.comparison import Score

    scores = [entry for entry in entrance.row.scores if isinstance(entry, Score)]
    cells = [score.cell for score in scores if score.cell is not None]
    if not cells:
        return [(Cell("f fills the gaps of rows that have a score; this one has none of a run of yours.", "dim"),)]
    encoder = cells[-1].encoder
    is_file = "/" in encoder.source and not encoder.source.startswith("timm:")
    has_backbone = is_file or encoder.source in NEED_BACKBONE
    backbone = f" --backbone {encoder.backbone}" if has_backbone else ""
    marks = ", ".join(entrance.column.marks) or "the task's own protocol"
    command = f"lovt evaluate {shlex.quote(encoder.source)}{backbone} --task {entrance.column.task}"
    return [
        (Cell("f says which evaluations would fill it, and queues them once you agree."),),
        (Cell(clean(command), "accent"),),
        *wrap_text(f"This column holds: {marks}. Gaps are filled as the row's newest evaluation was run."),
    ]


def _progress_line(entrance: Entrance) -> Line:
    run = entrance.run
    if run is None:
        return (Cell("Running", "strong"),)
    return (Cell("Running: ", "strong"), Cell(f"{format_progress(run, 16)}  {clean(run.note)}"))


def _so_far_lines(entrance: Entrance) -> list[Line]:
    """Rates tried and replicates that are there already."""
    rates = _collect(entrance.results, "rate", "learning_rate")
    replicates = _collect(entrance.results, "replicate", "replicate")
    lines: list[Line] = [()] if rates or replicates else []
    lines += [
        (Cell(f"learning rate {rate:g}: validation {_percent(data.get('validation'))} %"),)
        for rate, data in rates.items()
    ]
    return lines + [
        (Cell(f"replicate {number + 1}: test {_percent(data.get('value'))} %"),)
        for number, data in sorted(replicates.items())
    ]


def _collect(results: "Sequence[StoredResult]", kind: str, key: str) -> dict[Any, dict[str, Any]]:
    """Results of one type by their number; of one stored twice the later."""
    found = {}
    for result in results:
        number = result.data.get(key)
        if result.data.get("type") == kind and isinstance(number, int | float):
            found[number] = result.data
    return found


def _percent(value: object) -> str:
    if not isinstance(value, int | float):
        return ""
    return f"{100 * value:.2f}" if isfinite(value) else format_number(float(value))
