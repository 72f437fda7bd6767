"""The comparison as one HTML file that needs nothing else: tables, notes and a dot plot for each task."""

from itertools import groupby
from operator import attrgetter
from pathlib import Path

from lovt_core.results import dot_plot
from lovt_core.results.comparison import Comparison, Entry, Missing, Row, Score
from lovt_core.results.footnotes import collect_footnotes, format_difference, format_score
from lovt_core.results.html_page import open_templates
from lovt_core.results.paper_tables import PUBLISHED_NOTE, collect_remarks, format_label, split_as_in_paper

_group_of = attrgetter("group")
_TEMPLATES = Path(__file__).parent / "templates"


def to_html(comparison: Comparison, with_significance: bool = False) -> str:
    """A page with styles and pictures inside, for light and dark screens and for paper; all text is escaped."""
    environment = open_templates(_TEMPLATES)
    environment.globals.update(
        format_score=format_score,
        format_label=format_label,
        is_missing=lambda entry: isinstance(entry, Missing),
        difference=lambda score: format_difference(score, with_significance),
        describe=_describe,
        plot=dot_plot,
    )
    environment.filters["by_group"] = lambda rows: [(group, list(each)) for group, each in groupby(rows, _group_of)]
    return environment.get_template("comparison.html.j2").render(
        comparison=comparison,
        tables=split_as_in_paper(comparison),
        plots=dot_plot.build_dot_plots(comparison),
        footnotes=collect_footnotes(comparison),
        remarks=collect_remarks(comparison, with_significance),
        published_note=PUBLISHED_NOTE,
    )


def _describe(row: Row, entry: Entry) -> str:
    """All that is known of an entry, a fact on a line."""
    if isinstance(entry, Missing):
        return "\n".join((row.label, f"{entry.state}: {entry.run_id}" if entry.run_id else entry.state))
    return "\n".join((row.label, *_score_facts(entry)))


def _score_facts(score: Score) -> list[str]:
    facts = [f"{format_score(score)} %, n = {score.num_replicates}"]
    if score.values:
        facts.append("replicates: " + ", ".join(f"{100 * value:.2f}" for value in score.values))
    if score.p_value is not None:
        trust = ", exploratory" if score.is_exploratory else ""
        facts.append(f"p = {score.p_value:.2g} after Holm's correction{trust}")
    if (cell := score.cell) is not None:
        facts.append(f"run {cell.run_id}")
        facts.append(f"encoder {cell.encoder.fingerprint[:12]}, {cell.encoder.backbone}")
        facts.append(
            f"protocol {cell.protocol.name} {cell.protocol.fingerprint[:12]}, data {cell.data.fingerprint[:12]}"
        )
    return [*facts, *score.notes]
