"""The global random generators of Python, numpy and torch: seeded once, saved and restored exactly."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seed_generators(seed: int, rank: int = 0, step: int = 0) -> None:
    """Seed all of them; other processes of a training than the first draw other numbers, from `step` on anew."""
    if rank:
        seed = int(np.random.SeedSequence((seed, rank, step)).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def capture_generators(device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Their states: torch's as byte tensors, the others as JSON values."""
    tensors = {"torch": torch.get_rng_state()}
    if device.type == "cuda":
        tensors["cuda"] = torch.cuda.get_rng_state(device)
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    document = {
        "python": [version, list(words), gauss],
        "numpy": [str(name), [int(key) for key in keys], int(position), int(has_gauss), float(cached)],
    }
    return tensors, document


def restore_generators(device: torch.device, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
    """Put the generators back to a captured state."""
    torch.set_rng_state(tensors["torch"])
    if device.type == "cuda" and "cuda" in tensors:
        torch.cuda.set_rng_state(tensors["cuda"], device)
    version, words, gauss = document["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, position, has_gauss, cached = document["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
