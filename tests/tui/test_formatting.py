"""Numbers, times and names as they stand on the screen."""

import math
from pathlib import Path

import pytest
from rich.cells import cell_len

from lovt_tui.formatting import (
    abbreviate_home,
    clean,
    fit,
    fit_metric,
    format_age,
    format_bar,
    format_duration,
    format_number,
    format_score,
    format_space,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.41234, "3.412"), (0.0312, "0.031"), (0.5, "0.500"), (123.456, "123.5"), (12_345.6, "12346"),
        (1.234e-5, "1.2e-5"), (2e6, "2.0e6"), (0.0, "0.000"), (-3.5, "-3.500"),
        (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert format_number(value) == text


def test_scores_have_an_interval_only_from_several_replicates():
    assert format_score(0.70123, 0.01134) == "0.701 ± 0.011"
    assert format_score(0.70123, None) == "0.701"


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [
        (0, "0 B"), (900, "900 B"), (12_345, "12.3 kB"), (999_600, "1 MB"), (3_400_000, "3.4 MB"), (61e9, "61 GB"),
        (2.5e12, "2.5 TB"),
    ],
)  # fmt: skip
def test_space(num_bytes, text):
    assert format_space(num_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0s"), (42, "42s"), (187, "3m07s"), (7380, "2h03m"), (4 * 86_400 + 6 * 3600, "4d06h")]
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_ages():
    assert [format_age(seconds) for seconds in (0, 59, 60, 7200, 1_300_000)] == ["<1m", "<1m", "1m", "2h", "15d"]


def test_bar_is_full_only_at_the_end():
    assert format_bar(999, 1000, 14) == "████████░  99%"
    assert format_bar(1000, 1000, 14) == "█████████ 100%"
    assert format_bar(5, None, 14) == ""
    assert format_bar(2000, 1000, 4) == "100%"


def test_clean_leaves_nothing_that_steers_a_terminal():
    assert clean("\x1b[31mred\x1b[0m\x07 \x1b]8;;http://x\x07link\x1b]8;;\x07\u202eabc\nnext") == "red linkabc next"


@pytest.mark.parametrize("width", range(8))
def test_fit_is_exact_for_wide_characters_too(width):
    for text in ("abc", "a longer text", "日本語テキスト"):
        assert cell_len(fit(text, width)) == width


def test_home_is_abbreviated(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert abbreviate_home(Path("/home/ada/lab")) == "~/lab"
    assert abbreviate_home(Path("/srv/lab")) == "/srv/lab"


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (36, "train/epoch_accuracy/top1_image_text"),
        (35, "train/…/top1_image_text"),
        (23, "train/…/top1_image_text"),
        (22, "…/top1_image_text"),
        (17, "…/top1_image_text"),
        (5, "…text"),
    ],
)
def test_a_long_metric_keeps_its_end(width, text):
    assert fit_metric("train/epoch_accuracy/top1_image_text", width) == text


def test_a_metric_without_parts_loses_its_beginning():
    assert fit_metric("learning_rate", 8) == "…ng_rate"
