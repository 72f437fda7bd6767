"""Values survive being written as events and read back."""

import math

import pytest

from lovt_core.runs.events import decode_value, encode_value
from lovt_core.values import Alarm, CheckpointSaved, Ended, Metrics, Note, Progress, Result


@pytest.mark.parametrize(
    "value",
    [
        Progress(3, None, "step", note="opening"),
        Metrics(2, 0.5, {"train/loss": 1.25, "val/loss": math.inf}, total_steps=9),
        Metrics(2, 0.5, {}),
        CheckpointSaved("2-a1", 2, is_last=True, is_best=False),
        Result({"type": "check"}),
        Alarm("look"),
        Alarm("look", "a topic"),
        Note("by the way"),
        Note("over", ends="a topic"),
        Ended("pruned"),
    ],
)
def test_a_value_comes_back(value):
    assert decode_value(*encode_value(value)) == value


def test_no_other_event_is_a_value():
    with pytest.raises(ValueError, match="'started' is no event"):
        decode_value("started", {})
