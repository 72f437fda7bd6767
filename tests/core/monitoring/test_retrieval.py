"""Ranks of counterparts by sorting, with ties, padding and single sentences."""

import pytest
import torch

from lovt_core.monitoring.retrieval import compute_hits, compute_local_ranks, compute_pair_ranks
from lovt_core.objectives.global_contrastive import compute_top_accuracy
from lovt_core.objectives.unit_length import scale_to_unit_length


def _draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return scale_to_unit_length(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def test_a_rank_is_the_place_in_the_sorted_list() -> None:
    first, second = _draw(20, 8), _draw(20, 8, seed=1)
    ranks = compute_pair_ranks(first, second).tolist()
    for row, rank in enumerate(ranks):
        similarities = [float(first[row] @ other) for other in second]
        assert rank == sorted(similarities, reverse=True).index(similarities[row])


@pytest.mark.parametrize("k", [1, 5])
def test_hits_equal_the_accuracy_of_the_loss_where_nothing_ties(k: int) -> None:
    first, second = _draw(30, 8), _draw(30, 8, seed=1)
    expected = compute_top_accuracy(first @ second.T, k)
    assert torch.equal(compute_hits(compute_pair_ranks(first, second), k), expected)


def test_equal_embeddings_find_nothing() -> None:
    same = torch.zeros(40, 4)
    same[:, 0] = 1
    assert compute_pair_ranks(same, same).tolist() == [19.5] * 40
    assert float(compute_hits(compute_pair_ranks(same, same), 5)) == 0


def test_local_ranks_are_within_each_sample_and_pass_over_padding_and_lone_sentences() -> None:
    first, second = _draw(3, 4, 8), _draw(3, 4, 8, seed=1)
    counts = [4, 1, 3]
    mask = torch.arange(4) < torch.tensor(counts)[:, None]
    expected = []
    for sample in (0, 2):
        part = slice(0, counts[sample])
        expected += compute_pair_ranks(first[sample, part], second[sample, part]).tolist()
    assert compute_local_ranks(first, second, mask).tolist() == expected
