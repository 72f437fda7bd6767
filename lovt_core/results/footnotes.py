"""Numbers as they are printed, the letters that lead from them to footnotes, and the footnotes."""

from dataclasses import dataclass
from string import ascii_lowercase

from lovt_core.results.comparison import Comparison, Score
from lovt_core.results.significance import EXPLORATORY, LEVEL

SIGNIFICANT = "*"
"""Stands beside a score that differs from the pin's."""


@dataclass(frozen=True)
class Footnotes:
    """The distinct notes of a comparison, in the order in which they are met row by row."""

    texts: tuple[str, ...]

    def letters_of(self, score: Score) -> str:
        """Letters of a score's notes, comma-separated; empty if it has none."""
        return ",".join(footnote_letter(self.texts.index(note)) for note in score.notes)

    def lines(self) -> tuple[tuple[str, str], ...]:
        """(letter, sentence) of each footnote."""
        return tuple((footnote_letter(position), text) for position, text in enumerate(self.texts))


def collect_footnotes(comparison: Comparison) -> Footnotes:
    """All notes of a comparison, each once."""
    scores = (entry for row in comparison.rows for entry in row.scores if isinstance(entry, Score))
    return Footnotes(tuple(dict.fromkeys(note for score in scores for note in score.notes)))


def format_score(score: Score) -> str:
    """Mean and half width of the 95 % interval in per cent, such as `76.1 ± 0.4`."""
    mean = f"{100 * score.mean:.1f}"
    return mean if score.ci95 is None else f"{mean} ± {100 * score.ci95:.1f}"


def format_difference(score: Score, with_significance: bool = False) -> str:
    """Difference to the pin in percentage points, such as `+1.2`, and the mark of a significant one; else empty."""
    if score.difference is None:
        return ""
    mark = SIGNIFICANT if with_significance and score.is_significant else ""
    points = round(100 * score.difference, 1) + 0.0  # which makes -0.0 positive
    return f"{points:+.1f}{mark}"


def describe_significance(comparison: Comparison) -> str:
    """What the mark means: the test, its correction, and how far to trust it."""
    scores = [entry for row in comparison.rows for entry in row.scores if isinstance(entry, Score)]
    tested = [score for score in scores if score.p_value is not None]
    text = (
        f"{SIGNIFICANT} differs from {comparison.pin}: Welch's t, two-sided, p < {LEVEL:g} after Holm's correction for "
        f"{len(tested)} tests"
    )
    if any(score.is_exploratory for score in tested):
        text += f"; exploratory at n = {EXPLORATORY}"
    untested = sum(score.difference is not None and score.p_value is None for score in scores)
    return f"{text}; {untested} scores cannot be tested" if untested else text


def describe_pin(comparison: Comparison) -> str:
    """What the differences mean."""
    return f"second line: difference to {comparison.pin} in percentage points"


def footnote_letter(position: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    more, rest = divmod(position, len(ascii_lowercase))
    return (footnote_letter(more - 1) if more else "") + ascii_lowercase[rest]
