"""Numbers as they are printed, and the letters that lead from them to footnotes."""

from dataclasses import dataclass
from string import ascii_lowercase

from lovt_core.results.comparison import Comparison, Score


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
    scores = (score for row in comparison.rows for score in row.scores if score is not None)
    return Footnotes(tuple(dict.fromkeys(note for score in scores for note in score.notes)))


def format_score(score: Score) -> str:
    """Mean and half width of the 95 % interval in per cent, such as `76.1 ± 0.4`."""
    mean = f"{100 * score.mean:.1f}"
    return mean if score.ci95 is None else f"{mean} ± {100 * score.ci95:.1f}"


def footnote_letter(position: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    more, rest = divmod(position, len(ascii_lowercase))
    return (footnote_letter(more - 1) if more else "") + ascii_lowercase[rest]
