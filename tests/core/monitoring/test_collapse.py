"""When a collapse is spoken of: once when it begins, once when it is over."""

import math

import pytest

from lovt_core.monitoring.collapse import Collapse, Watched, judge_collapse
from lovt_core.values import Alarm, Note

_IMAGE = Watched("image/std", "the standard deviation of image embeddings", 512)


def _follow(values: list[float]) -> list[list[Alarm | Note]]:
    """What is said after each validation, one an epoch."""
    low: dict[str, Collapse] = {}
    said = []
    for epoch, value in enumerate(values, start=1):
        low, news = judge_collapse((_IMAGE,), {"image/std": value}, epoch, low)
        said.append(news)
    return said


def test_the_alarm_names_the_epoch_the_value_and_what_it_should_be() -> None:
    assert _follow([0.04, 0.001, 0.001, 0.001]) == [
        [],
        [],
        [
            Alarm(
                "embedding collapse since epoch 2: the standard deviation of image embeddings is 0.001 "
                "(a uniform sphere has 0.044)",
                "collapse of image/std",
            )
        ],
        [],
    ]


def test_it_is_said_once_that_it_is_over_and_again_when_it_returns() -> None:
    said = _follow([0.001, 0.001, 0.003, 0.02, 0.02, 0.0, 0.0])
    assert [len(news) for news in said] == [0, 1, 0, 1, 0, 0, 1]
    assert said[3] == [
        Note(
            "the embedding collapse since epoch 1 is over: the standard deviation of image embeddings is 0.02 "
            "(a uniform sphere has 0.044)",
            ends="collapse of image/std",
        )
    ]
    assert said[6][0].message.startswith("embedding collapse since epoch 6:")


def test_a_single_low_validation_says_nothing() -> None:
    assert _follow([0.001, 0.04, 0.001, 0.003, 0.001]) == [[]] * 5


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_neither_begins_nor_ends_a_collapse(value: float) -> None:
    assert not any(_follow([value, value, value]))
    low = {"image/std": Collapse(3, 2)}
    assert judge_collapse((_IMAGE,), {"image/std": math.nan}, 9, low) == (low, [])
    assert judge_collapse((_IMAGE,), {}, 9, low) == (low, [])


def test_going_on_from_a_saved_state_repeats_nothing() -> None:
    low, _ = judge_collapse((_IMAGE,), {"image/std": 0.001}, 2, {"image/std": Collapse(1)})
    assert low == {"image/std": Collapse(1, 2)}
    assert judge_collapse((_IMAGE,), {"image/std": 0.001}, 3, low)[1] == []
