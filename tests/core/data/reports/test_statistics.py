"""Counts over reports, checked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.data.reports.statistics import Distribution, compute_report_statistics

REPORTS = (
    ("No effusion.", "The heart is normal."),
    ("No effusion", "Opacity of 3.5 cm, new.", "no effusion."),
    ("Normal.",),
    (),
)


def test_counts():
    statistics = compute_report_statistics(REPORTS)
    assert (statistics.num_reports, statistics.num_sentences, statistics.num_tokens) == (4, 6, 3 + 5 + 2 + 7 + 3 + 2)
    assert statistics.sentences_a_report == Distribution(1.5, 1.5, 3, ((0, 1), (1, 1), (2, 1), (3, 1)))
    assert statistics.tokens_a_sentence == Distribution(22 / 6, 3, 7, ((2, 2), (3, 2), (5, 1), (7, 1)))


def test_vocabulary_is_of_words_in_lower_case():
    assert compute_report_statistics(REPORTS).vocabulary_size == len(
        {"no", "effusion", "the", "heart", "is", "normal", "opacity", "of", "3.5", "cm", "new"}
    )


def test_sentences_that_repeat_count_each_time():
    assert compute_report_statistics(REPORTS).repeated_share == pytest.approx(3 / 6)
    assert compute_report_statistics([("A b.",), ("A c.",)]).repeated_share == 0
    assert compute_report_statistics([("A b.", "A b.")]).repeated_share == 1


def test_nothing_to_count():
    statistics = compute_report_statistics([])
    assert (statistics.num_reports, statistics.num_sentences, statistics.repeated_share) == (0, 0, 0)
    assert statistics.sentences_a_report == statistics.tokens_a_sentence == Distribution(0, 0, 0, ())


def test_reports_are_read_once():
    assert compute_report_statistics(iter(REPORTS)) == compute_report_statistics(REPORTS)


@given(st.lists(st.lists(st.sampled_from(("Clear.", "No effusion.", "The heart is of normal size")), max_size=5)))
def test_the_median_is_that_of_all_values(reports):
    statistics = compute_report_statistics(reports)
    lengths = sorted(map(len, reports))
    middle = lengths[(len(lengths) - 1) // 2 : len(lengths) // 2 + 1]
    assert statistics.sentences_a_report.median == (sum(middle) / len(middle) if middle else 0)
    assert sum(times for _, times in statistics.sentences_a_report.histogram) == len(reports)
