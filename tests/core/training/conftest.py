"""A workplace in a temporary folder, and a self-test experiment whose every value a test may set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.values import EndReason, Workplace

PlaceFactory = Callable[..., Workplace]


@pytest.fixture
def make_place(tmp_path: Path) -> PlaceFactory:
    """Workplaces that share one run's folders."""

    def make(
        attempt: int = 1,
        last: str | None = None,
        stop: Callable[[], EndReason | None] = lambda: None,
        device: str = "cpu",
    ) -> Workplace:
        def find_checkpoint(run: str, which: str) -> Path:
            raise AssertionError(f"nobody should ask for {which} of {run}")

        return Workplace(
            prepared_root=tmp_path / "data",
            checkpoints=tmp_path / "checkpoints",
            artifacts=tmp_path / "artifacts",
            attempt=attempt,
            device=device,
            stop_requested=stop,
            find_checkpoint=find_checkpoint,
            last_checkpoint=last,
        )

    return make


@pytest.fixture
def build_experiment() -> Callable[..., SelftestExperiment]:
    """Builds a self-test of 4 batches of 8 an epoch, two of them to a step, 3 epochs, unless stated."""

    def build(selftest: dict[str, Any] | None = None, **training: Any) -> SelftestExperiment:
        settings = {"batch_size": 8, "accumulate": 2, "max_epochs": 3, "precision": "fp32", "device": "cpu"} | training
        return SelftestExperiment.model_validate({"selftest": {"samples": 32} | (selftest or {}), "training": settings})

    return build
