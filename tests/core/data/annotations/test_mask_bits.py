import numpy as np
import pytest

from lovt_core.data.annotations.mask_bits import count_mask_bytes, pack_masks, unpack_masks


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (2, 1, 1), (8, 224, 224)])
def test_masks_come_back_as_they_were(shape):
    masks = np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8)
    bits = pack_masks(masks)
    assert bits.shape == (shape[0], count_mask_bytes(*shape[1:]))
    assert np.array_equal(unpack_masks(bits, *shape[1:]), masks)
