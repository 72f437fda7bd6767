"""What is known of metrics by their names: which values are better, and which metric chooses a method's checkpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["min", "max"]

LOSSES = frozenset(("error", "loss", "losses", "mae", "mse", "nll", "perplexity", "rmse"))
"""Words in names of metrics of which less is better."""
SCORES = frozenset(
    ("acc", "accuracy", "ap", "auc", "auprc", "auroc", "dice", "f1", "froc", "iou", "map", "precision", "recall")
) | frozenset(("retrieval", "score", "sensitivity", "specificity", "top"))
"""Words in names of metrics of which more is better."""
TERMS = frozenset(
    f"{group}/{name}"
    for group, names in (
        ("global", ("image_to_report", "report_to_image")),
        ("regions", ("attended_to_local", "local_to_attended")),
        ("sentences", ("attended_to_local", "local_to_attended")),
    )
    for name in names
) | frozenset(("cells", "instances"))
"""Terms of the losses, whose names say nothing of a loss; without `val/` or `train/`."""


def find_direction(metric: str) -> Direction | None:
    """Whether less (`min`) or more (`max`) of a metric is better; None of all others, which have no best value.

    These are spreads, covariances, uniformity and alignment of embeddings (a collapse makes most of them as small as
    can be), shares and counts of losses, learning rates, times, loads of the machine, and names that tell nothing.

    >>> [find_direction(name) for name in ("val/loss", "val/retrieval/top1_image_to_report", "val/image/std")]
    ['min', 'max', None]
    """
    term = metric.partition("/")[2].removeprefix("epoch_")
    words = set(re.findall(r"[a-z]+[0-9]*", metric.lower()))
    words |= {word.rstrip("0123456789") for word in words}
    if words & LOSSES or term in TERMS:
        return "min"
    return "max" if words & SCORES else None


@dataclass(frozen=True)
class Choice:
    """Which of a training's checkpoints is the one to use."""

    metric: str = "val/loss"
    """Plateau rule and early stopping go by it, and so does the choice of the `best` checkpoint."""
    uses_last: bool = False
    """The weights to use are the last ones, whatever the metric says."""


CHOICES: Mapping[str, Choice] = {
    "lovt": Choice(),
    "simclr": Choice(uses_last=True),
    "byol": Choice(uses_last=True),
    "pixelpro": Choice(uses_last=True),
    "supervised": Choice("val/auroc"),
}
"""What each method of pre-training is judged by, and which of its weights are used (PROTOCOL B.4)."""


def find_choice(experiment: Mapping[str, Any]) -> Choice:
    """The choice of an experiment's method, as it is stored; of one without a method that by `val/loss`."""
    method = experiment.get("method")
    name = method.get("name") if isinstance(method, Mapping) else None
    return CHOICES.get(str(name), Choice())
