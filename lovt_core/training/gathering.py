"""Rows of a batch that is shared among processes, gathered from all of them so that a loss sees the whole batch.

Shapes: b rows of one process, B = b * number of processes rows of the batch, in the order of the processes.
"""

from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor


class Gather(Protocol):
    """Own rows of some tensors to those of the whole batch."""

    def __call__(self, *parts: Tensor) -> tuple[Tensor, ...]:
        """Each (b, ...) -> (B, ...)."""


def keep_own(*parts: Tensor) -> tuple[Tensor, ...]:
    """A batch that is not shared is whole."""
    return parts


def gather_from_ranks(*parts: Tensor) -> tuple[Tensor, ...]:
    """Each (b, ...) of every process to (B, ...), the same in all of them; floating point becomes float32 or wider.

    Gradients of all processes flow back to the process that a row came from. One node of the graph gathers all tensors,
    so that their gradients are exchanged in the same order everywhere, and before any of a parameter.
    """
    with_gradient = [part for part in parts if part.requires_grad]
    gathered = iter(_GatherRows.apply(*with_gradient) if with_gradient else ())
    return tuple(next(gathered) if part.requires_grad else _concatenate(part) for part in parts)


class _GatherRows(torch.autograd.Function):
    """The linear map from all processes' rows to the whole batch; its adjoint adds the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, *parts: Tensor) -> tuple[Tensor, ...]:
        ctx.dtypes = [part.dtype for part in parts]
        return tuple(_concatenate(part) for part in parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        own = []
        for gradient, dtype in zip(gradients, ctx.dtypes, strict=True):
            summed = gradient.clone(memory_format=torch.contiguous_format)
            dist.all_reduce(summed)
            own.append(summed.chunk(dist.get_world_size())[dist.get_rank()].to(dtype))
        return tuple(own)


def _concatenate(part: Tensor) -> Tensor:
    """(b, ...) of each process to (B, ...)."""
    wide = part.detach().contiguous()
    if part.is_floating_point():
        wide = wide.to(torch.promote_types(part.dtype, torch.float32))
    elif part.dtype == torch.bool:
        wide = wide.to(torch.uint8)  # gloo moves no bool
    rows = [torch.empty_like(wide) for _ in range(dist.get_world_size())]
    dist.all_gather(rows, wide)
    whole = torch.cat(rows)
    return whole.bool() if part.dtype == torch.bool else whole
