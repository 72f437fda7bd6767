"""Order of training images: whole, reproducible, each head's own."""

import numpy as np
import pytest

from lovt_core.evaluation.training.order import CHUNK_BATCHES, EpochOrder


@pytest.mark.parametrize(
    ("num_images", "batch_size"), [(133, 8), (8, 8), (15, 8), (64, 8), (1601, 64), (129, 16), (5, 1)]
)
def test_every_image_comes_once_an_epoch_and_the_rest_is_dropped(num_images, batch_size):
    order = EpochOrder(num_images, batch_size, seed=3)
    chunks = order.divide(epoch=1)
    assert sorted(np.concatenate(chunks).tolist()) == list(range(num_images))
    batches = [
        chunk[batch].tolist() for number, chunk in enumerate(chunks) for batch in order.shuffle(chunk, 7, 1, number)
    ]
    assert len(batches) == order.num_batches == num_images // batch_size
    assert max(len(chunk) for chunk in chunks) <= CHUNK_BATCHES * batch_size
    assert {len(batch) for batch in batches} == {batch_size}
    assert len({image for batch in batches for image in batch}) == len(batches) * batch_size


def test_chunks_are_common_and_new_in_every_epoch():
    order = EpochOrder(1000, 8, seed=3)
    first, second = order.divide(1), order.divide(2)
    assert all(len(chunk) == CHUNK_BATCHES * 8 for chunk in first[:-1])
    assert set(first[0].tolist()) != set(second[0].tolist())
    assert all(np.array_equal(one, other) for one, other in zip(first, order.divide(1), strict=True))


def test_heads_have_orders_of_their_own_inside_a_chunk():
    order = EpochOrder(256, 8, seed=3)
    chunk = order.divide(1)[0]
    one, other = (np.concatenate(order.shuffle(chunk, seed, 1, 0)) for seed in (1, 2))
    assert sorted(one.tolist()) == sorted(other.tolist())
    assert one.tolist() != other.tolist()
    assert one.tolist() != np.concatenate(order.shuffle(chunk, 1, 2, 0)).tolist()
    assert one.tolist() != np.concatenate(order.shuffle(chunk, 1, 1, 1)).tolist()


def test_every_image_may_share_a_batch_with_every_other():
    """Over the epochs: chunks are no fixed groups."""
    order = EpochOrder(40, 2, seed=0)
    met = set()
    for epoch in range(1, 300):
        for number, chunk in enumerate(order.divide(epoch)):
            met |= {tuple(sorted(chunk[batch].tolist())) for batch in order.shuffle(chunk, 5, epoch, number)}
    assert len(met) == 40 * 39 // 2
