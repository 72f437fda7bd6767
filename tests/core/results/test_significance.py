"""Intervals, Welch's t and Holm's correction against other ways to compute them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lovt_core.results.significance import compute_half_width, compute_welch, correct_holm

SCORES = st.lists(st.integers(0, 10_000).map(lambda value: value / 10_000), min_size=2, max_size=9)
SPREAD = SCORES.filter(lambda values: len(set(values)) > 1)
P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def naive_holm(p_values):
    """Definition: hypothesis i is rejected at level a if every p up to its rank stays below a / (m - rank)."""
    number = len(p_values)
    ranked = sorted(p_values)
    return [
        max(min(1.0, (number - rank) * ranked[rank]) for rank in range(ranked.index(p_value) + 1))
        for p_value in p_values
    ]


@given(P_VALUES)
def test_holm_equals_its_definition(p_values):
    assert list(correct_holm(p_values)) == pytest.approx(naive_holm(p_values))


@given(P_VALUES, st.floats(0.001, 0.2))
def test_holm_rejects_what_stepping_down_rejects(p_values, level):
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    rejected = set()
    for rank, place in enumerate(order):
        if (len(p_values) - rank) * p_values[place] >= level:
            break
        rejected.add(place)
    assert {place for place, p_value in enumerate(correct_holm(p_values)) if p_value < level} == rejected


def test_holm_of_known_numbers():
    assert correct_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert correct_holm([]) == ()


@given(SPREAD, SPREAD)
def test_welch_equals_scipy(first, second):
    expected = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert compute_welch(first, second) == pytest.approx(float(expected), rel=1e-6, abs=1e-12)


@given(st.integers(2, 9), SPREAD)
def test_welch_of_equal_replicates_against_others_is_the_test_of_one_mean(number, values):
    expected = stats.ttest_1samp(values, 0.3).pvalue
    assert compute_welch([0.3] * number, values) == pytest.approx(float(expected), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second"),
    [([0.1], [0.1, 0.2]), ([], []), ([0.1, math.nan], [0.1, 0.2]), ([0.1, 0.1], [0.3, 0.3])],
)
def test_welch_is_none_where_it_cannot_be_computed(first, second):
    assert compute_welch(first, second) is None


@given(SCORES)
def test_student_interval_equals_scipy(values):
    expected = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    assert compute_half_width(values, "student") == pytest.approx(float(expected), abs=1e-12)


def test_interval_of_the_paper_and_of_a_single_value():
    assert compute_half_width([0.1, 0.2, 0.3, 0.4, 0.5], "published") == pytest.approx(
        1.96 * math.sqrt(0.025) / math.sqrt(5)
    )
    assert compute_half_width([0.1], "student") is None
