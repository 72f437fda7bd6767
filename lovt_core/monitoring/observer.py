"""What watches a training from beside it.

Nothing here changes weights, gradients, random numbers or batch-norm statistics of a method.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor

from lovt_core.monitoring.embeddings import ImageEmbeddings, PairEmbeddings
from lovt_core.monitoring.monitors import Monitor
from lovt_core.monitoring.probe import LinearProbe, compute_probe_auroc

Seen = TypeVar("Seen", PairEmbeddings, ImageEmbeddings)


class Probes:
    """A linear probe for each side of a method, and what they said in the running validation."""

    def __init__(self, widths: Mapping[str, int], num_labels: int, device: torch.device) -> None:
        """`widths`: side (`image`, `report`) -> width of its features."""
        self._probes = {side: LinearProbe(width, num_labels, device) for side, width in widths.items()}
        self._logits: dict[str, list[Tensor]] = {}
        self._labels: list[Tensor] = []

    def begin_validation(self) -> None:
        """Forget what an earlier one has left."""
        self._logits = {side: [] for side in self._probes}
        self._labels = []

    def learn(self, features: Mapping[str, Tensor], labels: Tensor) -> None:
        """One step of each on a training batch."""
        for side, probe in self._probes.items():
            probe.learn(features[side], labels)

    def predict(self, features: Mapping[str, Tensor], labels: Tensor) -> None:
        """Keep what they say of a validation batch."""
        for side, probe in self._probes.items():
            self._logits[side].append(probe.predict(features[side]))
        self._labels.append(labels)

    def compute_scores(self) -> dict[str, float]:
        """`probe/auroc_image` of all validation batches, `probe/auroc_image_in_training` of the latest training ones.

        Where no label has both present and absent examples the score is left out.
        """
        labels = torch.cat(self._labels)
        scores = {}
        for side, probe in self._probes.items():
            scores[f"probe/auroc_{side}"] = compute_probe_auroc(torch.cat(self._logits[side]), labels)
            scores[f"probe/auroc_{side}_in_training"] = probe.compute_training_auroc()
        return {name: score for name, score in scores.items() if score == score}

    def tensors(self) -> dict[str, Tensor]:
        """The whole state, by `side/name`."""
        return {
            f"{side}/{name}": value for side, probe in self._probes.items() for name, value in probe.tensors().items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on with the state of `tensors()`; raises KeyError or RuntimeError for that of other probes."""
        for side, probe in self._probes.items():
            probe.restore({name: tensors[f"{side}/{name}"] for name in probe.tensors()})


class Observer(Generic[Seen]):
    """Shows probes the training batches, and monitor and probes the validation batches."""

    def __init__(self, build_monitor: Callable[[], Monitor[Seen]] | None, probes: Probes | None) -> None:
        self._build_monitor: Callable[[], Monitor[Seen]] | None = build_monitor
        self._monitor: Monitor[Seen] | None = None
        self.probes = probes

    def begin_validation(self) -> None:
        """Forget what an earlier one has left."""
        self._monitor = None if self._build_monitor is None else self._build_monitor()
        if self.probes is not None:
            self.probes.begin_validation()

    @torch.no_grad()
    def see(self, embeddings: Seen, labels: Tensor | None, *, training: bool) -> None:
        """One batch with its label codes (B, K), or None where the data has none."""
        with torch.autocast(embeddings.device_type, enabled=False):
            if self.probes is not None and labels is not None:
                (self.probes.learn if training else self.probes.predict)(embeddings.classified, labels)
            if self._monitor is not None and not training:
                self._monitor.update(embeddings)

    def compute_scores(self) -> dict[str, float]:
        """Of all batches since the validation began."""
        scores = {} if self._monitor is None else self._monitor.compute()
        self._monitor = None
        return scores | ({} if self.probes is None else self.probes.compute_scores())
