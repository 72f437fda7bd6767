"""What watches each method beside its training: its monitor, its probes, and what counts as a collapse."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import assert_never

import torch

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.methods import (
    CHEXPERT_FIVE,
    ByolConfig,
    LovtConfig,
    PixelproConfig,
    SimclrConfig,
    SupervisedConfig,
)
from lovt_core.config.misfits import has_single_region
from lovt_core.methods.label_codes import Findings
from lovt_core.monitoring.collapse import Watched
from lovt_core.monitoring.observer import Probes
from lovt_core.training.sealed_folder import load_tensors, save_tensors

PROBES_FILE = "probes.safetensors"
"""State of the probes in a checkpoint."""


def find_probe_labels(experiment: PretrainExperiment, findings: Iterable[Findings]) -> tuple[str, ...]:
    """Labels that the probes learn; none where they are not wanted, or `findings` of the training samples hold none.

    The supervised method is a classifier of labels itself and has no probe.
    """
    if not experiment.monitoring.probe or isinstance(experiment.method, SupervisedConfig):
        return ()
    mentioned = {label for each in findings for label in each}
    return CHEXPERT_FIVE if mentioned.intersection(CHEXPERT_FIVE) else ()


def build_probes(
    widths: Mapping[str, int], labels: tuple[str, ...], device: str, checkpoint: Path | None
) -> Probes | None:
    """Probes of sides with features of these widths; None without labels.

    They go on with what a `checkpoint` folder holds; where it holds none, or probes of another size, they begin.
    """
    if not labels:
        return None
    size = (widths, len(labels), torch.device(device))
    probes = Probes(*size)
    if checkpoint is not None and (checkpoint / PROBES_FILE).is_file():
        try:
            probes.restore(load_tensors(checkpoint / PROBES_FILE))
        except (KeyError, RuntimeError):  # a model of another size is refused where its own tensors are read
            return Probes(*size)
    return probes


def save_probes(probes: Probes | None, folder: Path) -> None:
    """Write them into a checkpoint folder, where there are any."""
    if probes is not None:
        save_tensors(folder / PROBES_FILE, probes.tensors())


def find_watched(experiment: PretrainExperiment) -> tuple[Watched, ...]:
    """What must not vanish: the spread of all that the method's losses compare."""
    if not experiment.monitoring.embeddings:
        return ()
    match experiment.method:
        case LovtConfig(projection=projection, objective=objective):
            size = projection.size
            pairs = (_watch("image", size), _watch("report", size))
            sentences = () if objective.sentences is None else (_watch("sentence", size),)
            regions = () if objective.regions is None else _watch_regions(size)
            return (*(() if objective.global_ is None else pairs), *regions, *sentences)
        case SimclrConfig(size=size) | ByolConfig(size=size):
            return (_watch("image", size),)
        case PixelproConfig(size=size):
            cells = (_watch("region", size),) if has_single_region(experiment) else _watch_regions(size)
            return (_watch("image", size), *cells)
        case SupervisedConfig():
            return ()
        case _:
            assert_never(experiment.method)


def _watch(element: str, size: int) -> Watched:
    group = element if element in ("image", "report") else f"{element}s"
    return Watched(f"{group}/std", f"the standard deviation of {element} embeddings", size)


def _watch_regions(size: int) -> tuple[Watched, ...]:
    within = Watched("regions/std_within_image", "the standard deviation of region embeddings within an image", size)
    return (_watch("region", size), within)
