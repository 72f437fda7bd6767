"""The comparison as LaTeX: the paper's two tables with booktabs rules."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from lovt_core.results.comparison import Comparison, Entry, Missing
from lovt_core.results.footnotes import (
    SIGNIFICANT,
    Footnotes,
    collect_footnotes,
    format_difference,
    format_score,
)
from lovt_core.results.latex_text import escape_latex
from lovt_core.results.paper_tables import (
    PUBLISHED_NOTE,
    Heading,
    PaperTable,
    collect_remarks,
    describe_table,
    format_label,
    split_as_in_paper,
)

_RANKS: Final = {1: r"\textbf", 2: r"\underline"}
_DAGGER: Final = r"\textsuperscript{\dag}"
_PREAMBLE: Final = r"""\documentclass{article}
\usepackage[a3paper,landscape,margin=15mm]{geometry}
\usepackage{booktabs,graphicx}
\pagestyle{empty}
\begin{document}
"""
_NEEDS: Final = "% needs \\usepackage{booktabs,graphicx}\n"
_TOP: Final = r"\begin{tabular}[t]{@{}r@{}}"
"""Two lines in a cell, the first in line with the row's label."""
_NO_WIDER_THAN_THE_TEXT: Final = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def to_latex(comparison: Comparison, with_significance: bool = False, standalone: bool = False) -> str:
    """ASCII source of a table for RSNA and one for the other data sets, those that have columns; notes below each.

    Standalone: a whole document for pdflatex. Else floats for a document that loads booktabs and graphicx.
    """
    remarks = collect_remarks(comparison, with_significance)
    tables = "\n".join(_format_table(table, remarks, with_significance) for table in split_as_in_paper(comparison))
    return f"{_PREAMBLE}{tables}\\end{{document}}\n" if standalone else f"{_NEEDS}{tables}"


def _format_table(table: PaperTable, remarks: Sequence[str], with_significance: bool) -> str:
    footnotes = collect_footnotes(table.comparison)
    lines = [
        r"\begin{table}[tbp]",
        r"\centering",
        rf"\caption{{{escape_latex(describe_table(table))}}}",
        rf"\label{{tab:{table.name}}}",
        r"\smallskip",
        r"\setlength{\tabcolsep}{4pt}",
        _NO_WIDER_THAN_THE_TEXT,
        rf"\begin{{tabular}}{{l*{{{len(table.comparison.columns)}}}{{r}}}}",
        r"\toprule",
        *_heading_lines(table.headings),
        *_body_lines(table, footnotes, with_significance),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(rf"\textsuperscript{{{letter}}} {escape_latex(text)}\par" for letter, text in footnotes.lines()),
        *(rf"{escape_latex(text)}\par" for text in (*([PUBLISHED_NOTE] if table.is_mixed else []), *remarks)),
        r"\end{minipage}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _heading_lines(levels: Sequence[Sequence[Heading]]) -> Iterator[str]:
    for number, level in enumerate(levels):
        first = "Encoder" if number == 1 else ""
        yield _line([first, *map(_format_heading, level)])
        if number == 0:
            yield _rules_below(level)


def _format_heading(heading: Heading) -> str:
    text = escape_latex(heading.text)
    if heading.span > 1:
        return rf"\multicolumn{{{heading.span}}}{{c}}{{{text}}}"
    if ", " in heading.text:
        text = r"\shortstack{" + r"\\".join(map(escape_latex, heading.text.split(", "))) + "}"
    return rf"\multicolumn{{1}}{{c}}{{{text}}}"


def _rules_below(level: Sequence[Heading]) -> str:
    """A short rule under each heading; the first column, of encoders, has none."""
    rules, start = [], 2
    for heading in level:
        rules.append(rf"\cmidrule(lr){{{start}-{start + heading.span - 1}}}")
        start += heading.span
    return "".join(rules)


def _body_lines(table: PaperTable, footnotes: Footnotes, with_significance: bool) -> Iterator[str]:
    comparison = table.comparison
    width = len(comparison.columns) + 1
    for group, rows in groupby(comparison.rows, key=lambda row: row.group):
        yield r"\midrule"
        yield _line([rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape_latex(group)}}}}}"])
        for row in rows:
            mark = _DAGGER if row.is_published and table.is_mixed else ""
            entries = (_format_entry(entry, footnotes, with_significance) for entry in row.scores)
            yield _line([escape_latex(format_label(row)) + mark, *entries])


def _format_entry(entry: Entry, footnotes: Footnotes, with_significance: bool) -> str:
    if isinstance(entry, Missing):
        return "--" if entry.state == "not run" else rf"\emph{{{entry.state}}}"
    text = format_score(entry).replace(" ± ", r"$\pm$")
    if command := _RANKS.get(entry.rank or 0):
        text = f"{command}{{{text}}}"
    if letters := footnotes.letters_of(entry):
        text += rf"\textsuperscript{{{letters}}}"
    if difference := format_difference(entry, with_significance):
        text = rf"{_TOP}{text}\\[-2pt]{{\scriptsize {_format_difference(difference)}}}\end{{tabular}}"
    return text


def _format_difference(difference: str) -> str:
    points, mark, _ = difference.partition(SIGNIFICANT)
    return f"${points}${escape_latex(mark)}"


def _line(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
