"""What the processes of one training agree on and add up; each of these does nothing where there is one process.

All processes run the same loop on their shares of the batches. The first one decides, validates and writes.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lovt_core.training.sharing import Share
from lovt_core.training.trainable import Trainable

Decision = TypeVar("Decision")
Losses = Callable[[Any], dict[str, Tensor]]
LONGEST_WAIT = timedelta(days=1)
"""Others wait while the first one validates or saves; one that dies ends the training at once, whatever this is."""


class Ranks:
    """This process among those that share a training; with several, their process group must be there."""

    def __init__(self, trainable: Trainable, share: Share) -> None:
        """With several processes all go on with the first one's parameters."""
        self.share = share
        self.is_first = share.rank == 0
        self._is_alone = share.num_ranks == 1
        self._model = trainable.model
        self._shared = None if self._is_alone else _share(trainable)
        self.compute_losses: Losses = trainable.compute_losses if self._shared is None else self._shared

    @property
    def gradient_scale(self) -> float:
        """What losses are multiplied by so that gradients are added, not averaged."""
        return float(self.share.num_ranks)

    def adding(self, *, is_last: bool) -> AbstractContextManager[Any]:
        """Around forward and backward of a batch; with the last one of a step all gradients are added up."""
        return nullcontext() if self._shared is None or is_last else self._shared.no_sync()

    def sum(self, values: Tensor) -> Tensor:
        """The values of all processes added, in all of them."""
        if not self._is_alone:
            dist.all_reduce(values)
        return values

    def decide(self, value: Decision) -> Decision:
        """The first process's JSON value, in all of them (a tuple becomes a list)."""
        if self._is_alone:
            return value
        decided: Decision = _broadcast(value if self.is_first else None)
        return decided

    def average_buffers(self) -> None:
        """Make running statistics, which each process keeps of its own batches, their mean in all of them."""
        if self._is_alone:
            return
        for buffer in self._model.buffers():
            if buffer.is_floating_point():
                dist.all_reduce(buffer)
                buffer /= self.share.num_ranks


class _Losses(nn.Module):
    """A trainable's losses as the forward pass of a module, for that is what DistributedDataParallel wraps."""

    def __init__(self, trainable: Trainable) -> None:
        super().__init__()
        self.model = trainable.model
        self._compute = trainable.compute_losses

    def forward(self, batch: Any) -> dict[str, Tensor]:
        return self._compute(batch)


def _share(trainable: Trainable) -> DistributedDataParallel:
    # which parameters a loss leaves out differs between settings: theirs must stay without gradient, as in one process
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what replaces broadcast_buffers is not in torch 2.8
        return DistributedDataParallel(_Losses(trainable), broadcast_buffers=False, find_unused_parameters=True)


def _broadcast(value: Any) -> Any:
    """The first process's JSON value; goes through the CPU's process group."""
    content = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
    length = torch.tensor(len(content))
    dist.broadcast(length, 0)
    if dist.get_rank() != 0:
        content = torch.empty(int(length), dtype=torch.uint8)
    dist.broadcast(content, 0)
    return json.loads(content.numpy().tobytes())


@contextmanager
def joined(share: Share, meeting: Path, device: torch.device) -> Iterator[None]:
    """Hold the process group of a training: gloo between CPUs, NCCL between GPUs; they find each other by a new file.

    After an error the group is left as it is: others may wait in it, until the process ends.
    """
    backend = "cpu:gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
    store = dist.FileStore(str(meeting), share.num_ranks)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=share.rank, world_size=share.num_ranks, timeout=LONGEST_WAIT)
    yield
    dist.destroy_process_group()
