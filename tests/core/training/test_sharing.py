"""Shares of a training are disjoint, together everything, and equally long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.training import TrainingConfig, check_sharing
from lovt_core.errors import ConfigError
from lovt_core.training.sharing import WHOLE, Share, build_share

COUNTS = st.integers(1, 20)


@given(num_ranks=st.integers(1, 4), rounds=st.integers(1, 3), begin=st.integers(0, 9), length=COUNTS)
def test_each_batch_of_a_step_is_weighed_once(num_ranks, rounds, begin, length):
    accumulate, end = num_ranks * rounds, begin + length
    made = [list(Share(rank, num_ranks).batch_indices(begin, end)) for rank in range(num_ranks)]
    assert len({len(indices) for indices in made}) == 1
    weighed = []
    for step in range(begin, end, accumulate):
        count = min(accumulate, end - step)
        for rank in range(num_ranks):
            share = Share(rank, num_ranks)
            own = [made[rank].pop(0) for _ in range(share.num_batches(count))]
            weighed += [index for position, index in enumerate(own) if share.weight(position, count)]
    assert sorted(weighed) == list(range(begin, end))
    assert not any(made)


@given(num_ranks=st.integers(1, 4), parts=st.integers(1, 5), length=COUNTS)
def test_parts_of_a_batch_make_it_up(num_ranks, parts, length):
    batch = list(range(num_ranks * parts))
    shares = [Share(rank, num_ranks, "batch") for rank in range(num_ranks)]
    assert [row for share in shares for row in batch[share.part(len(batch))]] == batch
    assert all(list(share.batch_indices(0, length)) == list(range(length)) for share in shares)
    assert all(share.num_batches(length) == length for share in shares)
    assert sum(share.weight(0, length) for share in shares) == pytest.approx(1)


def test_one_process_does_everything():
    assert build_share(TrainingConfig(gather_negatives=True), 0, 1) == WHOLE
    assert list(WHOLE.batch_indices(3, 7)) == [3, 4, 5, 6]
    assert [WHOLE.weight(position, 4) for position in range(WHOLE.num_batches(4))] == [1.0] * 4
    assert WHOLE.part(5) == slice(0, 5)


@pytest.mark.parametrize(
    ("settings", "num_processes", "words"),
    [
        ({"accumulate": 16}, 3, "training.accumulate is 16, which 3 processes .* can: 1, 2, 4, 8, 16$"),
        ({"accumulate": 1}, 2, "what can: 1$"),
        ({"batch_size": 12, "gather_negatives": True}, 5, "training.batch_size is 12, .* can: 1, 2, 3, 4, 6$"),
        ({"batch_size": 12, "gather_negatives": True}, 12, "what can: 1, 2, 3, 4, 6$"),
    ],
)
def test_unequal_shares_are_refused_with_the_numbers_that_fit(settings, num_processes, words):
    with pytest.raises(ConfigError, match=words):
        check_sharing(TrainingConfig(**settings), num_processes)
    with pytest.raises(ValidationError, match="cpu_processes"):
        TrainingConfig(**settings, cpu_processes=num_processes)


def test_what_has_no_negatives_gathers_none():
    with pytest.raises(ValidationError, match="byol has no negatives, only lovt and simclr do"):
        PretrainExperiment.model_validate(
            {"name": "x", "data": {"name": "covid-chestxray"}, "method": {"name": "byol"},
             "training": {"gather_negatives": True}}
        )  # fmt: skip
