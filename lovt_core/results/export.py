"""The comparison as JSON values, CSV and Markdown."""

import csv
import io
from typing import Any

from lovt_core.results.column import Column
from lovt_core.results.comparison import Comparison, Row, Score
from lovt_core.results.footnotes import Footnotes, collect_footnotes, format_score

_CSV_FIELDS = (
    *("encoder", "published", "task", "metric", "mean", "ci95", "replicates", "values", "marks", "notes"),
    *("run", "encoder_fingerprint", "protocol_fingerprint", "data_fingerprint", "split_fingerprint"),
)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """JSON values: columns, rows with one score or null a column, unreadable runs; scores are fractions."""
    return {
        "columns": [
            {"task": column.task, "metric": column.metric, "marks": column.marks, "published": column.is_published}
            for column in comparison.columns
        ],
        "rows": [
            {"label": row.label, "published": row.is_published, "scores": [_score_json(score) for score in row.scores]}
            for row in comparison.rows
        ],
        "unreadable": comparison.unreadable,
    }


def to_csv(comparison: Comparison) -> str:
    """One line a score, scores as fractions."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in comparison.rows:
        for column, score in zip(comparison.columns, row.scores, strict=True):
            if score is not None:
                writer.writerow(_csv_line(row, column, score))
    return text.getvalue()


def to_markdown(comparison: Comparison) -> str:
    """A table with the best score of each column in bold, footnotes below."""
    footnotes = collect_footnotes(comparison)
    headings = ["encoder", *(_markdown_heading(column) for column in comparison.columns)]
    lines = [_markdown_line(headings), _markdown_line(["---", *("---:" for _ in comparison.columns)])]
    for row in comparison.rows:
        lines.append(_markdown_line([_escape(row.label), *(_markdown_score(score, footnotes) for score in row.scores)]))
    lines.extend(f"\n<sup>{letter}</sup> {_escape(text)}" for letter, text in footnotes.lines())
    return "\n".join(lines) + "\n"


def _score_json(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "mean": score.mean,
        "ci95": score.ci95,
        "replicates": score.num_replicates,
        "best": score.is_best,
        "notes": score.notes,
        "cell": None if score.cell is None else score.cell.model_dump(mode="json"),
    }


def _csv_line(row: Row, column: Column, score: Score) -> dict[str, Any]:
    line = {
        "encoder": row.label,
        "published": row.is_published,
        "task": column.task,
        "metric": column.metric,
        "mean": score.mean,
        "ci95": score.ci95,
        "replicates": score.num_replicates,
        "marks": "; ".join(column.marks),
        "notes": "; ".join(score.notes),
    }
    if score.cell is not None:
        line |= {
            "values": " ".join(map(repr, score.cell.values)),
            "run": score.cell.run_id,
            "encoder_fingerprint": score.cell.encoder.fingerprint,
            "protocol_fingerprint": score.cell.protocol.fingerprint,
            "data_fingerprint": score.cell.data.fingerprint,
            "split_fingerprint": score.cell.data.split_fingerprint,
        }
    return line


def _markdown_heading(column: Column) -> str:
    return "<br>".join(_escape(part) for part in (column.task, column.metric_title, *column.marks))


def _markdown_score(score: Score | None, footnotes: Footnotes) -> str:
    if score is None:
        return "–"
    text = f"**{format_score(score)}**" if score.is_best else format_score(score)
    letters = footnotes.letters_of(score)
    return f"{text} <sup>{letters}</sup>" if letters else text


def _markdown_line(parts: list[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
