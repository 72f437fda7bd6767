"""What one key of an experiment makes of another: settings that are allowed each by itself and cannot work together.

An experiment that was once stored is read all the same: these are told where it is loaded in order to be started.
"""

import difflib
from collections.abc import Iterator

from lovt_core.config.data import AugmentationConfig
from lovt_core.config.encoders import ReportEncoderConfig, TinyBert
from lovt_core.config.experiment import Experiment, PretrainExperiment
from lovt_core.config.methods import CHEXPERT_LABELS, VIEWS, LovtConfig, SupervisedConfig
from lovt_core.config.objective import ObjectiveConfig

OWN_LABELS = "paired-csv"
"""The data set whose labels may have any name."""

Misfit = tuple[tuple[str | int, ...], str]
"""Place of the key, and the end of a sentence that begins with it."""


def find_misfits(experiment: Experiment) -> Iterator[Misfit]:
    """All that is wrong with a whole experiment."""
    if experiment.kind == "evaluate":
        return
    if experiment.training.precision == "fp16" and experiment.training.device == "cpu":
        yield ("training", "precision"), "'fp16' needs a GPU, and training.device is cpu: use 'bf16' or 'fp32'"
    if experiment.kind == "pretrain":
        yield from _find_unread(experiment)
        match experiment.method:
            case LovtConfig(objective=objective, report_encoder=report_encoder):
                yield from _find_idle_losses(objective)
                yield from _find_single_region(experiment, objective)
                yield from _find_tiny_misfits(report_encoder)
            case SupervisedConfig(labels=labels) if experiment.data.name != OWN_LABELS:
                yield from _find_strange_labels(labels)


def list_unread(method: str) -> tuple[str, ...]:
    """Sections of `augmentation` that a method does not read."""
    if method in VIEWS:
        return ("image", "report")
    return () if method == "lovt" else ("report",)


def _find_unread(experiment: PretrainExperiment) -> Iterator[Misfit]:
    """Keys of `augmentation` that are set to something and that the method does not read."""
    name = experiment.method.name
    reasons = {
        "image": f"is not read by {name}, whose views are drawn as augmentation.views says: leave it out",
        "report": f"is not read by {name}, which reads no reports: leave it out",
    }
    defaults = AugmentationConfig()
    for section in list_unread(name):
        given, default = getattr(experiment.augmentation, section), getattr(defaults, section)
        for key in type(given).model_fields:
            if getattr(given, key) != getattr(default, key):
                yield ("augmentation", section, key), reasons[section]


def _find_idle_losses(objective: ObjectiveConfig) -> Iterator[Misfit]:
    weights: list[float] = []
    if objective.global_ is not None:
        weights += (objective.global_.image_to_report, objective.global_.report_to_image)
    for local in (objective.regions, objective.sentences):
        if local is not None:
            weights += (local.local_to_attended, local.attended_to_local)
    if weights and not any(weights):
        yield ("method", "objective"), "the weights of all its losses are 0, so nothing would be learnt: raise one"


def _find_single_region(experiment: PretrainExperiment, objective: ObjectiveConfig) -> Iterator[Misfit]:
    if objective.regions is not None and has_single_region(experiment):
        size, stride = experiment.data.image_size, experiment.method.image_encoder.stride
        yield (
            ("data", "image_size"),
            f"{size} pixels are a single region at stride {stride}, which has no others to be told from: raise it, "
            "lower method.image_encoder.stride, or set method.objective.regions to null",
        )


def has_single_region(experiment: PretrainExperiment) -> bool:
    """Whether the feature map has one cell alone."""
    return experiment.data.image_size <= experiment.method.image_encoder.stride


def _find_tiny_misfits(config: ReportEncoderConfig) -> Iterator[Misfit]:
    if config.model == "tiny":
        tiny = config.tiny or TinyBert()
        yield from find_model_misfits(config, tiny.layers, tiny.width)


def find_model_misfits(config: ReportEncoderConfig, layers: int, width: int) -> Iterator[Misfit]:
    """What a report encoder's config asks of a language model of these sizes that it does not have."""
    place = ("method", "report_encoder")
    if config.frozen_layers > layers:
        yield (*place, "frozen_layers"), f"is {config.frozen_layers}, but '{config.model}' has {layers} layers"
    if config.pooling == "attention" and width % config.num_heads:
        yield (*place, "num_heads"), f"is {config.num_heads}, which does not divide the width {width} of the encoder"


def _find_strange_labels(labels: tuple[str, ...]) -> Iterator[Misfit]:
    for position, label in enumerate(labels):
        if label not in CHEXPERT_LABELS:
            near = difflib.get_close_matches(label, CHEXPERT_LABELS, n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'? " if near else ""
            yield (
                ("method", "labels", position),
                f"'{label}' is no label: {hint}CheXpert's table has {', '.join(CHEXPERT_LABELS)}",
            )
