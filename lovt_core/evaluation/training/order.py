"""Order of the training images of an epoch: drawn in two stages, so that heads with orders of their own can share work.

Stage one divides the epoch's images at random into chunks of `CHUNK_BATCHES` batches; its seed is that of the
evaluation, and all heads trained together see the same chunks. Stage two is each head's own: the order inside a chunk,
from the head's seed. A chunk is encoded once for all heads, and which heads train together changes nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CHUNK_BATCHES = 8
"""Batches of a chunk: part of the protocol, because it decides which images may share a batch."""

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EpochOrder:
    """Which of `num_images` images come in which chunk; at least one batch of them."""

    num_images: int
    batch_size: int
    seed: int

    @property
    def num_batches(self) -> int:
        """Batches of an epoch: the last, incomplete one is dropped."""
        return self.num_images // self.batch_size

    def divide(self, epoch: int) -> list[Positions]:
        """Chunks of positions for one epoch; the last one is what is left over."""
        size = CHUNK_BATCHES * self.batch_size
        positions = np.random.default_rng((self.seed, epoch)).permutation(self.num_images)
        return np.split(positions, list(range(size, self.num_images, size)))

    def shuffle(self, chunk: Positions, head_seed: int, epoch: int, number: int) -> list[Positions]:
        """Batches of positions within chunk `number` of the epoch, in the order of the head with that seed."""
        order = np.random.default_rng((head_seed, epoch, number)).permutation(len(chunk))
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(chunk) - self.batch_size + 1, self.batch_size)
        ]
