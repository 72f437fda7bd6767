"""What image and report encoders have in common: a network that runs over a batch whole or in micro-batches."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Encode = Callable[[slice], Tensor]
"""Rows of a batch -> what the network makes of them, a row for each."""


class Encoder(nn.Module):
    """An encoder whose memory in training can be bounded.

    In micro-batches only one part's activations are alive at a time: each is computed once more when its gradients are.
    Both times it is the same: dropout repeats, and running statistics are updated the first time alone. A batch norm
    sees one part at a time.
    """

    micro_batch: int | None = None
    """Samples that the network takes at once; None for the whole batch."""

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """The part that holds nearly all of the work."""

    def in_micro_batches(self, encode: Encode, num_samples: int) -> Tensor:
        """What `encode` makes of all rows of a batch."""
        if self.micro_batch is None or self.micro_batch >= num_samples:
            return encode(slice(None))
        return torch.cat([self._encode_part(encode, rows) for rows in divide(num_samples, self.micro_batch)])

    def _encode_part(self, encode: Encode, rows: slice) -> Tensor:
        if not torch.is_grad_enabled():
            return encode(rows)
        part: Tensor = checkpoint(encode, rows, use_reentrant=False, context_fn=self._contexts)
        return part

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), self._buffers_set_aside()

    @contextmanager
    def _buffers_set_aside(self) -> Iterator[None]:
        """Let copies take the updates of running statistics; the buffers themselves are not touched."""
        kept = [
            (module, name, buffer) for module in self.modules() for name, buffer in module.named_buffers(recurse=False)
        ]
        try:
            for module, name, buffer in kept:
                setattr(module, name, buffer.clone())
            yield
        finally:
            for module, name, buffer in kept:
                setattr(module, name, buffer)


def divide(num_samples: int, at_most: int) -> list[slice]:
    """Consecutive rows in parts of at most so many, as even as can be."""
    count = -(-num_samples // at_most)
    bounds = [number * num_samples // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def set_micro_batch(model: nn.Module, size: int | None) -> None:
    """Run all encoders of a method over so many samples at once from now on, copies that follow them too."""
    for module in model.modules():
        if isinstance(module, Encoder):
            module.micro_batch = size
