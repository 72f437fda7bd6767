"""The comparison as a table for the terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lovt_core.results.column import Column
from lovt_core.results.comparison import Comparison, Score
from lovt_core.results.footnotes import Footnotes, collect_footnotes, format_score


def render_comparison(comparison: Comparison) -> RenderableType:
    """Encoders by tasks, the best score of each column in bold, footnotes below."""
    footnotes = collect_footnotes(comparison)
    table = Table(title=None)
    table.add_column("encoder", no_wrap=True)
    for column in comparison.columns:
        table.add_column(_heading(column), justify="right")
    for row in comparison.rows:
        style = "dim" if row.is_published else ""
        table.add_row(Text(row.label), *(_entry(score, footnotes) for score in row.scores), style=style)
    return Group(table, *(_note(f"{letter}  {text}") for letter, text in footnotes.lines()), *_warnings(comparison))


def _heading(column: Column) -> Text:
    heading = Text(f"{column.task}\n{column.metric_title}")
    for mark in column.marks:
        heading.append(f"\n{mark}", style="dim" if mark.endswith(" split") else "yellow")
    return heading


def _entry(score: Score | None, footnotes: Footnotes) -> Text:
    if score is None:
        return Text("–", style="dim")
    entry = Text(format_score(score), style="bold" if score.is_best else "")
    letters = footnotes.letters_of(score)
    return entry.append(f" {letters}", style="not bold yellow") if letters else entry


def _note(text: str) -> Text:
    return Text(text, style="dim")


def _warnings(comparison: Comparison) -> list[Text]:
    return [
        Text(f"run {run} holds results that this version cannot read", style="yellow") for run in comparison.unreadable
    ]
