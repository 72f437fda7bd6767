"""Which part of a training each of N processes computes: every N-th batch, or an N-th part of each batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lovt_core.config.training import TrainingConfig


@dataclass(frozen=True)
class Share:
    """The part of process `rank` of `num_ranks`. All of them compute equally many batches in each step."""

    rank: int = 0
    num_ranks: int = 1
    of: Literal["step", "batch"] = "step"
    """`step`: whole batches, of those that make up an optimiser step; `batch`: a part of each batch."""

    def batch_indices(self, begin: int, end: int) -> Iterable[int]:
        """Which batches to make of those from `begin` to `end`, where a step begins at `begin`.

        Where they do not suffice for all at the end, the last one is made once more; it has no weight.
        """
        if self.of == "batch":
            return range(begin, end)
        padded = begin + self.num_batches(end - begin) * self.num_ranks
        return (min(index, end - 1) for index in range(begin + self.rank, padded, self.num_ranks))

    def part(self, size: int) -> slice:
        """This process's samples of a batch of `size`, which `num_ranks` divides."""
        if self.of == "step":
            return slice(0, size)
        own = size // self.num_ranks
        return slice(self.rank * own, (self.rank + 1) * own)

    def num_batches(self, count: int) -> int:
        """How many batches this process computes in a step of `count` batches."""
        return count if self.of == "batch" else -(-count // self.num_ranks)

    def weight(self, position: int, count: int) -> float:
        """What its `position`-th batch counts, so that the weights of all processes add up to `count`."""
        if self.of == "batch":
            return 1 / self.num_ranks
        return 1.0 if position * self.num_ranks + self.rank < count else 0.0


WHOLE = Share()
"""Everything: there is one process."""


def build_share(config: TrainingConfig, rank: int, num_ranks: int) -> Share:
    """The share that the settings give to a process."""
    return Share(rank, num_ranks, "batch" if config.gather_negatives and num_ranks > 1 else "step")
