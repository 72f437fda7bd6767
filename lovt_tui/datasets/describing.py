"""Data sets in words: cells of the table, and lines of the pane, wrapped to its width. Pure functions."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from lovt_tui.datasets.preparing import Preparation
from lovt_tui.datasets.texts import meta_fields, origin_text
from lovt_tui.formatting import Cell, abbreviate_home, clean, fit, format_bar, format_duration, format_space

if TYPE_CHECKING:
    from lovt_core.data.inventory import Version
    from lovt_tui.actions.data import Checked
    from lovt_tui.datasets.counting import Counts
    from lovt_tui.datasets.overlap import SetOverlap
    from lovt_tui.pages.data import SetRow

Line = tuple[Cell, ...]
LABEL_WIDTH: Final = 13
COUNT_HEADINGS: Final = ("part", "samples", "images", "patients", "with a finding")
BAR_WIDTH: Final = 20


def format_set_state(row: "SetRow") -> Cell:
    """Glyph and word of what is prepared."""
    if row.preparation is not None and row.is_preparing:
        share = format_bar(row.preparation.done, row.preparation.total, 0)
        return Cell(f"● preparing{share}", "accent")
    if row.problem:
        return Cell("✘ unreadable", "error")
    if row.readable:
        damaged = any(each.meta is None for each in row.versions)
        return Cell("▲ part damaged" if damaged else "✔ prepared", "warning" if damaged else "good")
    if row.newer:
        return Cell("▲ newer format", "warning")
    if row.versions:
        return Cell("✘ damaged", "error")
    return Cell("○ not prepared", "dim")


def format_sizes(row: "SetRow") -> str:
    """Sizes with a current version, in pixels."""
    return ", ".join(str(each.meta.size) for each in row.readable if each.meta)


def format_samples(row: "SetRow") -> str:
    """Number of samples of the version that is opened."""
    meta = row.readable[0].meta if row.readable else None
    return "" if meta is None else f"{meta.num_samples:,}"


def format_origin(row: "SetRow") -> Cell:
    """Whether these are the images of the data set itself."""
    meta = row.readable[0].meta if row.readable else None
    if meta is None:
        return Cell("")
    word = origin_text(meta).partition(":")[0]
    return Cell(word, "" if meta.genuine else "warning")


def format_use(row: "SetRow") -> str:
    """What needs it: numbers of tasks, or pre-training."""
    if row.data_set.kind == "paired":
        return "pre-training"
    first, last = min(row.tasks, default=0), max(row.tasks, default=0)
    if not row.tasks:
        return ""
    if len(row.tasks) == 1:
        return f"task {first}"
    is_run = last - first + 1 == len(row.tasks)
    return f"tasks {first}-{last}" if is_run else "tasks " + ",".join(map(str, row.tasks))


def describe_set(row: "SetRow", counts: "Counts | str | None", width: int) -> tuple[Line, ...]:
    """All about one data set; `counts` are those of its first readable version, or why there are none (yet)."""
    data_set = row.data_set
    lines: list[Line] = [(Cell(fit(clean(f"{data_set.name}  {data_set.title}"), width).rstrip(), "strong"),)]
    if row.problem:
        lines += field_lines("problem", row.problem, width, "error")
    if row.preparation is not None and not row.is_preparing:
        lines += _last_preparation(row.preparation, width)
    for number, version in enumerate(row.readable):
        lines += [()] * bool(number)
        lines += _describe_version(row, version, counts if not number else None, width)
    lines += _other_versions(row, width)
    lines += _describe_origin(row, width)
    return tuple(lines)


def _last_preparation(preparation: Preparation, width: int) -> Iterator[Line]:
    if preparation.state == "prepared":
        return
    tone = "warning" if preparation.state == "stopped" else "error"
    text = f"{preparation.state}: {preparation.message}"
    for number, part in enumerate(text.splitlines()):
        yield from field_lines("" if number else "last prepare", part.strip(), width, tone)


def _describe_version(row: "SetRow", version: "Version", counts: "Counts | str | None", width: int) -> Iterator[Line]:
    meta = version.meta
    if meta is None:
        return
    num_bytes = row.num_bytes[row.versions.index(version)]
    text = f"{version.folder.name}, current at {meta.size} px, {format_space(num_bytes)} on disk"
    yield from field_lines("prepared", text, width, "good")
    if counts is not None:
        yield from _count_lines(counts, width)
    for label, text in meta_fields(meta):
        tone = "warning" if label == "origin" and not meta.genuine else ""
        yield from field_lines(label, text, width, tone)
    yield from field_lines("folder", abbreviate_home(version.folder.parent), width)


def _count_lines(counts: "Counts | str", width: int) -> Iterator[Line]:
    if isinstance(counts, str):
        yield from field_lines("split", counts, width, "dim")
        return
    rows = [
        (part.name, part.samples, part.images, part.patients, "" if part.positives is None else part.positives)
        for part in counts.parts
    ]
    marks = any(part.positives is not None for part in counts.parts)
    columns = len(COUNT_HEADINGS) - (not marks)
    if rows:
        yield from table_lines(COUNT_HEADINGS[:columns], [each[:columns] for each in rows], indent=LABEL_WIDTH)
    yield from field_lines("split", counts.announcement, width)


def _other_versions(row: "SetRow", width: int) -> Iterator[Line]:
    """Those that are not opened: older ones, damaged ones, those of a newer program."""
    for version in row.versions:
        if version in row.readable:
            continue
        name = version.folder.name
        if name in row.newer:
            text = f"{name} has a newer format: a newer lovt-tui reads it. {version.problem}"
            yield from field_lines("newer", text, width, "warning")
        elif version.meta is None or version.problem:
            yield from field_lines("damaged", f"{name}: {version.problem}", width, "error")
        else:
            text = f"{name}, kept, not current: {version.meta.num_samples:,} samples, {origin_text(version.meta)}"
            yield from field_lines("also there", text, width, "dim")


def _describe_origin(row: "SetRow", width: int) -> Iterator[Line]:
    data_set = row.data_set
    yield ()
    yield from field_lines("what it is", data_set.summary, width)
    if not row.versions and not row.is_preparing:
        yield from field_lines("prepare", "press n, with the folder of the download laid out as below", width, "accent")
    yield from field_lines("used for", format_use(row), width)
    terms = "yes: images and reports stay in the prepared folder" if data_set.credentialed else "no"
    yield from field_lines("credentialed", terms, width, "warning" if data_set.credentialed else "")
    yield from field_lines("licence", data_set.licence, width)
    yield from field_lines("cite", data_set.citation, width)
    yield from field_lines("get it", f"{data_set.url} ({data_set.approximate_size})", width)
    for number, text in enumerate(data_set.documented_layout):
        yield from field_lines("" if number else "layout", text, width)


def field_lines(label: str, text: str, width: int, tone: str = "", label_width: int = LABEL_WIDTH) -> Iterator[Line]:
    """A label and its text, wrapped beside it."""
    room = max(16, width - label_width)
    wrapped = textwrap.wrap(clean(text), room, break_on_hyphens=False, drop_whitespace=True) or [""]
    for number, part in enumerate(wrapped):
        yield Cell(fit("" if number else label, label_width), "dim"), Cell(part, tone)


def table_lines(headings: Sequence[str], rows: "Iterable[Sequence[str | int]]", indent: int = 0) -> Iterator[Line]:
    """A table; numbers stand right."""
    rows = tuple(rows)
    texts = [[f"{value:,}" if isinstance(value, int) else clean(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    right = [any(isinstance(row[place], int) for row in rows) for place in range(len(headings))]

    def line(values: Sequence[str]) -> str:
        cells = zip(values, widths, right, strict=True)
        return "  ".join(fit(value, width, "right" if is_right else "left") for value, width, is_right in cells)

    yield Cell(" " * indent), Cell(line(headings), "dim")
    for values in texts:
        yield Cell(" " * indent), Cell(line(values).rstrip())


def describe_progress(preparation: Preparation) -> Line:
    """One line about a preparation at work."""
    name = Cell(f" ● preparing {preparation.order.name}  ", "accent")
    if preparation.total is None:
        return name, Cell("reading the download …", "dim")
    facts = [f"{preparation.done:,} of {preparation.total:,} samples"]
    if preparation.seconds_left is not None:
        facts.append(f"{format_duration(preparation.seconds_left)} left")
    if preparation.note:
        facts.append(clean(preparation.note))
    return name, Cell(format_bar(preparation.done, preparation.total, BAR_WIDTH) + "  "), Cell(", ".join(facts), "dim")


def describe_end(preparation: Preparation) -> str:
    """What has come of a preparation, in one line that names the set and the state once."""
    name, said = preparation.order.name, clean(preparation.message.partition("\n")[0])
    if preparation.state == "prepared" and said.startswith(f"{name} "):
        return said
    ended = f"{clean(name)} {preparation.state}"
    return f"{ended}: {said.removeprefix(f'{name}: ')}" if said else ended


def describe_checks(checks: "Sequence[Checked]") -> tuple[Line, ...]:
    """What reading every byte again has shown."""
    lines: list[Line] = []
    for check in checks:
        is_whole = not check.problems
        word = "✔ every byte is as it was written" if is_whole else "✘ damaged"
        lines += [(Cell(clean(check.folder)),), (Cell(f"  {word}", "good" if is_whole else "error"),)]
        lines += [(Cell(f"    {clean(problem)}"),) for problem in check.problems]
    return tuple(lines)


def describe_overlap(found: "SetOverlap", width: int) -> tuple[Line, ...]:
    """What a set shares with others, and the parts of its split with one another."""
    from lovt_tui.datasets.overlap import unshared_text

    lines = [*field_lines("", found.split.announcement, width, label_width=0)]
    if text := unshared_text(found.shared):
        lines += [(), (Cell(text),)]
    for table in found.tables:
        lines += [(), (Cell(table.title, "strong"),), *table_lines(table.headings, table.rows)]
    if not found.shared:
        lines += [(), (Cell("No other data set is prepared."),)]
    return tuple(lines)


def describe_statistics(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> tuple[Line, ...]:
    """Numbers per part of the split (`statistics_rows`)."""
    widths = [max(map(len, column)) for column in zip(("", *headings), *rows, strict=True)]
    lines: list[Line] = []
    for number, row in enumerate((("", *headings), *rows)):
        first, *values = row
        texts = [fit(value, width, "right") for value, width in zip(values, widths[1:], strict=True)]
        lines.append((Cell("  ".join((fit(clean(first), widths[0]), *texts)).rstrip(), "" if number else "dim"),))
    return tuple(lines)
