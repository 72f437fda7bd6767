"""What a collection of reports is made of: lengths, vocabulary, and how often the same sentence comes again.

Repetition matters for training: a sentence that many reports share is a false negative in a contrastive loss.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lovt_core.data.reports.text import tokenize


@dataclass(frozen=True)
class Distribution:
    """A count that varies from one report or sentence to the next; all 0 and no histogram where there is none."""

    mean: float
    median: float
    max: int
    histogram: tuple[tuple[int, int], ...]
    """(value, how often it occurs), ascending; only values that occur."""


@dataclass(frozen=True)
class ReportStatistics:
    """Counts over all reports of a collection."""

    num_reports: int
    num_sentences: int
    num_tokens: int
    """Words and punctuation marks."""
    sentences_a_report: Distribution
    tokens_a_sentence: Distribution
    vocabulary_size: int
    """Distinct words in lower case; punctuation marks are none."""
    repeated_share: float
    """Share of the sentences, 0 to 1, that occur at least once more in the same words (case and punctuation aside)."""


def compute_report_statistics(reports: Iterable[Sequence[str]]) -> ReportStatistics:
    """Statistics of reports given as their sentences; each is read once and not kept."""
    sentences_a_report: Counter[int] = Counter()
    tokens_a_sentence: Counter[int] = Counter()
    vocabulary: set[str] = set()
    repetitions: Counter[str] = Counter()
    for report in reports:
        sentences_a_report[len(report)] += 1
        for sentence in report:
            tokens = tokenize(sentence)
            words = [token.lower() for token in tokens if token[0].isalnum()]
            tokens_a_sentence[len(tokens)] += 1
            vocabulary.update(words)
            repetitions[" ".join(words)] += 1
    num_sentences = tokens_a_sentence.total()
    repeated = sum(times for times in repetitions.values() if times > 1)
    return ReportStatistics(
        num_reports=sentences_a_report.total(),
        num_sentences=num_sentences,
        num_tokens=sum(value * times for value, times in tokens_a_sentence.items()),
        sentences_a_report=_summarise(sentences_a_report),
        tokens_a_sentence=_summarise(tokens_a_sentence),
        vocabulary_size=len(vocabulary),
        repeated_share=repeated / num_sentences if num_sentences else 0.0,
    )


def _summarise(counts: Mapping[int, int]) -> Distribution:
    histogram = tuple(sorted(counts.items()))
    total = sum(times for _, times in histogram)
    if not total:
        return Distribution(0.0, 0.0, 0, ())
    middle = (_find_ranked(histogram, (total - 1) // 2) + _find_ranked(histogram, total // 2)) / 2
    mean = sum(value * times for value, times in histogram) / total
    return Distribution(mean, middle, histogram[-1][0], histogram)


def _find_ranked(histogram: Sequence[tuple[int, int]], rank: int) -> int:
    """The value at place `rank`, counted from 0, of all values in ascending order."""
    seen = 0
    for value, times in histogram:
        seen += times
        if rank < seen:
            return value
    raise AssertionError(f"rank {rank} is beyond the {seen} values")
