"""Swaps and choice of sentences: exact for given draws, and the draws' frequencies against the reference."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lovt_core.config.data import ReportAugmentationConfig
from lovt_core.training.report_augmentation import ReportDraw, apply_draw, augment_report, draw_for_report

DRAWS = 30_000
FEWEST_EXPECTED = 20
"""Rarer outcomes are counted together: their frequencies are not normally distributed."""

Case = dict[str, Any]


def test_swaps_follow_one_another() -> None:
    assert apply_draw("abcd", ReportDraw(swaps=((0, 1), (1, 3)))) == ["b", "d", "c", "a"]


def test_a_position_swapped_with_itself_changes_nothing() -> None:
    assert apply_draw("abc", ReportDraw(swaps=((2, 2),))) == ["a", "b", "c"]


def test_the_choice_counts_positions_after_the_swaps() -> None:
    assert apply_draw("abc", ReportDraw(swaps=((0, 2),), chosen=0)) == ["c"]


def test_encoded_sentences_are_handed_through_as_they_are() -> None:
    sentences = [np.arange(3), np.arange(5)]
    swapped = apply_draw(sentences, ReportDraw(swaps=((0, 1),)))
    assert swapped[0] is sentences[1]
    assert swapped[1] is sentences[0]
    assert len(sentences[0]) == 3  # the list handed in keeps its order


@pytest.mark.parametrize("sentences", ["all", "one"])
def test_a_report_without_sentences_stays_empty(sentences: Any) -> None:
    assert augment_report([], ReportAugmentationConfig(sentences=sentences), np.random.default_rng(0)) == []


def test_no_swaps_where_their_probability_is_zero() -> None:
    config = ReportAugmentationConfig(swap_probability=0)
    generator = np.random.default_rng(0)
    assert all(augment_report("abcde", config, generator) == list("abcde") for _ in range(200))


@given(st.lists(st.text(max_size=5), max_size=12), st.floats(0, 0.95), st.integers(0, 2**32))
def test_swapped_reports_keep_every_sentence_once(sentences: list[str], probability: float, seed: int) -> None:
    config = ReportAugmentationConfig(swap_probability=probability)
    augmented = augment_report(sentences, config, np.random.default_rng(seed))
    assert sorted(augmented) == sorted(sentences)
    assert augmented == augment_report(sentences, config, np.random.default_rng(seed))


@given(st.lists(st.text(max_size=5), min_size=1, max_size=12), st.integers(0, 2**32))
def test_one_sentence_is_one_of_the_report(sentences: list[str], seed: int) -> None:
    augmented = augment_report(sentences, ReportAugmentationConfig(sentences="one"), np.random.default_rng(seed))
    assert len(augmented) == 1
    assert augmented[0] in sentences


@pytest.fixture(scope="module")
def reference(vectors_folder: Path) -> Case:
    loaded: Case = json.loads((vectors_folder / "14_report_transforms.json").read_text(encoding="utf-8"))
    return loaded


def to_config(case: Case) -> ReportAugmentationConfig:
    published = case["config"]
    swaps = published["swap_prob"] if published["sentence_shuffling"] == "random_swaps" else 0
    return ReportAugmentationConfig(
        swap_probability=swaps, sentences="one" if published["sentence_sampling"] == "random_sentence" else "all"
    )


def find_covered_cases(reference: Case) -> dict[str, Case]:
    """Training cases; the protocol uses no contiguous choice of sentences."""
    cases = {name: case for name, case in reference["empirical"].items() if case["config"]["augment"]}
    return {name: case for name, case in cases.items() if case["config"]["sentence_sampling"] != "random_crop"}


def count_orders(case: Case, seed: int) -> Counter[str]:
    config, generator = to_config(case), np.random.default_rng(seed)
    sentences = "abcdefgh"[: case["num_sentences"]]
    return Counter("".join(augment_report(sentences, config, generator)) for _ in range(DRAWS))


def assert_frequencies(counts: Counter[Any], probabilities: dict[Any, float], error_of_reference: float = 0) -> None:
    """Every |z| below 4; `error_of_reference` is the reference's own variance, as a multiple of ours."""
    assert sum(probabilities.values()) == pytest.approx(1, abs=0.01)
    frequent = {outcome for outcome, share in probabilities.items() if share * DRAWS >= FEWEST_EXPECTED}
    rare = sum(count for outcome, count in counts.items() if outcome not in frequent)
    expected_rare = 1 - sum(probabilities[outcome] for outcome in frequent)
    groups = [(counts[outcome], probabilities[outcome]) for outcome in frequent] + [(rare, max(0.0, expected_rare))]
    for count, share in groups:
        deviation = math.sqrt(DRAWS * share * (1 - share) * (1 + error_of_reference))
        assert abs(count - DRAWS * share) <= 4 * deviation + 1e-6


@pytest.mark.vectors
def test_orders_have_the_published_frequencies(reference: Case) -> None:
    for number, case in enumerate(find_covered_cases(reference).values()):
        published = {order: count / case["draws"] for order, count in case["outcome_counts"].items()}
        assert_frequencies(count_orders(case, number), published, DRAWS / case["draws"])


@pytest.mark.vectors
def test_orders_have_the_exact_probabilities(reference: Case) -> None:
    exact = reference["exact_order_probabilities"]
    cases = find_covered_cases(reference)
    assert_frequencies(count_orders(cases["random_swaps_0.6"], 10), exact["order_after_swaps_p0.6_n3"])
    assert_frequencies(count_orders(cases["random_swaps_0.6_b"], 11), exact["order_after_swaps_p0.6_n4"])


@pytest.mark.vectors
def test_numbers_of_swaps_have_the_published_frequencies(reference: Case) -> None:
    exact = {int(swaps): share for swaps, share in reference["exact_swap_pmf_p0_6"].items()}
    for number, case in enumerate(find_covered_cases(reference).values()):
        if case["num_swaps_histogram"] is None:
            continue
        config, generator = to_config(case), np.random.default_rng(20 + number)
        counts = Counter(len(draw_for_report(case["num_sentences"], config, generator).swaps) for _ in range(DRAWS))
        published = {int(swaps): count / case["draws"] for swaps, count in case["num_swaps_histogram"].items()}
        assert_frequencies(counts, published, DRAWS / case["draws"])
        if case["config"]["swap_prob"] == 0.6:
            assert_frequencies(counts, exact)
