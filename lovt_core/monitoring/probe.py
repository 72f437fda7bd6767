"""A linear classifier that learns beside a method what its features say of the findings, and leaves it as it is.

Shapes: B batch, D width of the features, K labels, N samples.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from lovt_core.objectives.multilabel import LabelReading, compute_auroc, compute_macro_auroc

_BETAS, _EPSILON = (0.9, 0.999), 1e-8
_RATE = 0.5
"""Learning rate times the width: a step of Adam moves a logit by at most about this much."""
_FORGETTING = 0.01
"""Share of a new batch in the running mean and variance, once a hundred have been seen."""
KEPT = 2048
"""Latest training samples that the area in training is computed over."""
_READING = LabelReading()


class LinearProbe:
    """Logistic regression on standardised features, one step of Adam a batch; its gradient is known in closed form.

    Uses no random numbers, no autograd and nothing of the method but the features that it is given. All of its state
    is in `tensors`, so that a resumed training goes on with it to the bit.
    """

    def __init__(self, width: int, num_labels: int, device: torch.device) -> None:
        def zeros(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(*shape, dtype=dtype, device=device)

        self._rate = _RATE / width
        self._state = {
            "weights": zeros(num_labels, width + 1),
            "first_moment": zeros(num_labels, width + 1),
            "second_moment": zeros(num_labels, width + 1),
            "mean": zeros(width),
            "variance": zeros(width),
            "num_batches": zeros(1),
            "logits": zeros(KEPT, num_labels),
            "labels": zeros(KEPT, num_labels, dtype=torch.int8),
            "num_samples": zeros(1, dtype=torch.int64),
        }

    @torch.no_grad()
    def learn(self, features: Tensor, labels: Tensor) -> None:
        """One step on features (B, D) and label codes (B, K); first these samples are kept as examples of training."""
        self._add_to_moments(features.detach().float())
        inputs = self._standardise(features)
        logits = inputs @ self._state["weights"].T
        self._keep(logits, labels)
        targets = _READING.read(labels)
        residuals = (logits.sigmoid() - targets.present.float()) * targets.known
        self._step(residuals.T @ inputs / targets.known.sum().clamp_min(1))

    @torch.no_grad()
    def predict(self, features: Tensor) -> Tensor:
        """Features (B, D) -> logits (B, K)."""
        return self._standardise(features) @ self._state["weights"].T

    def compute_training_auroc(self) -> float:
        """Mean area over the labels, of the logits that the latest training samples got before they were learnt."""
        count = min(int(self._state["num_samples"]), KEPT)
        return compute_probe_auroc(self._state["logits"][:count], self._state["labels"][:count])

    def tensors(self) -> dict[str, Tensor]:
        """The whole state."""
        return dict(self._state)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on with the state of `tensors()`; raises KeyError or RuntimeError for that of another probe."""
        for name, value in self._state.items():
            value.copy_(tensors[name])

    def _add_to_moments(self, features: Tensor) -> None:
        """Running mean and variance, at first of all batches alike."""
        state = self._state
        state["num_batches"] += 1
        share = (1 / state["num_batches"]).clamp_min(_FORGETTING)
        state["mean"].lerp_(features.mean(dim=0), share)
        state["variance"].lerp_((features - state["mean"]).square().mean(dim=0), share)

    def _standardise(self, features: Tensor) -> Tensor:
        """(B, D) -> (B, D + 1) float32, with a column of ones for the bias."""
        state = self._state
        scaled = (features.detach().float() - state["mean"]) / (state["variance"] + 1e-6).sqrt()
        return torch.cat([scaled, scaled.new_ones(len(scaled), 1)], dim=1)

    def _keep(self, logits: Tensor, labels: Tensor) -> None:
        state = self._state
        places = (state["num_samples"] + torch.arange(len(logits), device=logits.device)) % KEPT
        state["logits"][places] = logits
        state["labels"][places] = labels.to(torch.int8)
        state["num_samples"] += len(logits)

    def _step(self, gradient: Tensor) -> None:
        """Adam (Kingma and Ba 2015)."""
        state, (first, second) = self._state, _BETAS
        state["first_moment"].lerp_(gradient, 1 - first)
        state["second_moment"].lerp_(gradient.square(), 1 - second)
        count = state["num_batches"]
        mean = state["first_moment"] / (1 - first**count)
        scale = (state["second_moment"] / (1 - second**count)).sqrt() + _EPSILON
        state["weights"] -= self._rate * mean / scale


def compute_probe_auroc(logits: Tensor, labels: Tensor) -> float:
    """Mean area under the ROC curve over the labels, of logits and label codes (N, K); NaN where none has one."""
    return compute_macro_auroc(compute_auroc(logits, _READING.read(labels)))
