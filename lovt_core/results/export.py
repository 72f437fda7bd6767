"""The comparison as JSON values, CSV and Markdown."""

import csv
import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from lovt_core.results.column import Column
from lovt_core.results.comparison import Comparison, Entry, Missing, Row, Score
from lovt_core.results.footnotes import (
    Footnotes,
    collect_footnotes,
    describe_pin,
    describe_significance,
    format_difference,
    format_score,
)

_CSV_FIELDS = (
    *("encoder", "group", "published", "task", "metric", "state", "mean", "ci95", "replicates", "values"),
    *("rank", "difference", "p_value", "exploratory", "marks", "notes"),
    *("run", "encoder_fingerprint", "protocol_fingerprint", "data_fingerprint", "split_fingerprint"),
)
_RANK_MARKS = {1: ("**", "**"), 2: ("<u>", "</u>")}


def to_json(comparison: Comparison) -> dict[str, Any]:
    """JSON values: columns, rows with one entry a column, unreadable runs; scores are fractions.

    An entry without a score has `state` and `run` alone.
    """
    return {
        "columns": [
            {
                "task": column.task,
                "data": column.data,
                "metric": column.metric,
                "marks": column.marks,
                "published": column.is_published,
            }
            for column in comparison.columns
        ],
        "rows": [
            {
                "label": row.label,
                "group": row.group,
                "published": row.is_published,
                "scores": [_entry_json(entry) for entry in row.scores],
            }
            for row in comparison.rows
        ],
        "pin": comparison.pin,
        "interval": comparison.interval,
        "summary": comparison.summary,
        "unreadable": comparison.unreadable,
    }


def to_csv(comparison: Comparison) -> str:
    """One line an entry, scores as fractions; an entry that nobody has asked for has none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(list_entries(comparison))
    return text.getvalue()


def list_entries(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Each entry that somebody has asked for, as a flat mapping; replicates' values as text with spaces between."""
    for row in comparison.rows:
        for column, entry in zip(comparison.columns, row.scores, strict=True):
            if entry != Missing("not run"):
                yield _csv_line(row, column, entry)


def to_markdown(comparison: Comparison, with_significance: bool = False) -> str:
    """A table with the best score of each column in bold and the second underlined, footnotes below."""
    footnotes = collect_footnotes(comparison)
    headings = ["encoder", *(_markdown_heading(column) for column in comparison.columns)]
    lines = [_markdown_line(headings), _markdown_line(["---", *("---:" for _ in comparison.columns)])]
    for group, rows in groupby(comparison.rows, key=lambda row: row.group):
        lines.append(_markdown_line([f"*{_escape(group)}*", *("" for _ in comparison.columns)]))
        for row in rows:
            entries = (_markdown_entry(entry, footnotes, with_significance) for entry in row.scores)
            lines.append(_markdown_line([_escape(row.label), *entries]))
    lines.extend(f"\n<sup>{letter}</sup> {_escape(text)}" for letter, text in footnotes.lines())
    lines.extend(f"\n{_escape(text)}" for text in _markdown_remarks(comparison, with_significance))
    return "\n".join(lines) + "\n"


def _entry_json(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Missing):
        return {"state": entry.state, "run": entry.run_id}
    return {
        "mean": entry.mean,
        "ci95": entry.ci95,
        "replicates": entry.num_replicates,
        "values": entry.values,
        "rank": entry.rank,
        "best": entry.rank == 1,
        "difference": entry.difference,
        "p_value": entry.p_value,
        "exploratory": entry.is_exploratory,
        "notes": entry.notes,
        "cell": None if entry.cell is None else entry.cell.model_dump(mode="json"),
    }


def _csv_line(row: Row, column: Column, entry: Entry) -> dict[str, Any]:
    line = {
        "encoder": row.label,
        "group": row.group,
        "published": row.is_published,
        "task": column.task,
        "metric": column.metric,
        "marks": "; ".join(column.marks),
    }
    if isinstance(entry, Missing):
        return {**line, "state": entry.state, "run": entry.run_id}
    return line | _csv_score(entry)


def _csv_score(score: Score) -> dict[str, Any]:
    line = {
        "state": "scored",
        "mean": score.mean,
        "ci95": score.ci95,
        "replicates": score.num_replicates,
        "values": " ".join(map(repr, score.values)),
        "rank": score.rank,
        "difference": score.difference,
        "p_value": score.p_value,
        "exploratory": "" if score.p_value is None else score.is_exploratory,
        "notes": "; ".join(score.notes),
    }
    if score.cell is not None:
        line |= {
            "run": score.cell.run_id,
            "encoder_fingerprint": score.cell.encoder.fingerprint,
            "protocol_fingerprint": score.cell.protocol.fingerprint,
            "data_fingerprint": score.cell.data.fingerprint,
            "split_fingerprint": score.cell.data.split_fingerprint,
        }
    return line


def _markdown_heading(column: Column) -> str:
    return "<br>".join(_escape(part) for part in (column.task, column.metric_title, *column.marks))


def _markdown_entry(entry: Entry, footnotes: Footnotes, with_significance: bool) -> str:
    if isinstance(entry, Missing):
        return "–" if entry.state == "not run" else entry.state
    before, after = _RANK_MARKS.get(entry.rank or 0, ("", ""))
    text = f"{before}{format_score(entry)}{after}"
    if letters := footnotes.letters_of(entry):
        text = f"{text} <sup>{letters}</sup>"
    difference = format_difference(entry, with_significance)
    return f"{text}<br>{_escape(difference)}" if difference else text


def _markdown_remarks(comparison: Comparison, with_significance: bool) -> list[str]:
    pinned = comparison.pin is not None
    about_pin = [describe_pin(comparison)] if pinned else []
    about_tests = [describe_significance(comparison)] if pinned and with_significance else []
    return [*about_pin, *about_tests, *comparison.summary]


def _markdown_line(parts: list[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
