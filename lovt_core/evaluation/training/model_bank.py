"""U-Nets and YOLOv3 heads, on frozen features or with their encoder (PROTOCOL A.3): trained one after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lovt_core.errors import TrainingError
from lovt_core.evaluation.training.batches import Batch
from lovt_core.evaluation.training.candidate import CandidateState
from lovt_core.evaluation.training.criteria import Criterion
from lovt_core.evaluation.training.task_model import TaskModel, copy_state
from lovt_core.tasks import WARMUP_RATE
from lovt_core.training.optimiser import set_learning_rate
from lovt_core.training.precision import Precision


class ModelBank:
    """A model for each candidate.

    A model with an encoder is fine-tuned: in its first `warmup_steps` steps the encoder is frozen, in evaluation mode,
    and the learning rate is the warm-up's; from then on everything is trained, at the candidate's own rate (the
    published batch norms stay in evaluation mode to the end of that epoch; here they change with the step).
    """

    def __init__(
        self,
        states: Sequence[CandidateState],
        models: Sequence[TaskModel],
        criterion: Criterion,
        precisions: Sequence[Precision],
        warmup_steps: int,
    ) -> None:
        """One model and one loss scale for each candidate."""
        self.criterion = criterion
        self._states = states
        self._models = models
        self._precisions = precisions
        self._warmup_steps = warmup_steps
        for state, model in zip(states, models, strict=True):
            state.attach(model.parameters())

    def train_step(self, batches: Mapping[int, Batch]) -> None:
        """One optimiser step of each of these candidates on its own batch."""
        for index, batch in batches.items():
            self._train_one(index, batch)

    def _train_one(self, index: int, batch: Batch) -> None:
        state, model, precision = self._states[index], self._models[index], self._precisions[index]
        if state.has_diverged:
            return
        is_warm = state.num_steps >= self._warmup_steps
        model.set_training(with_encoder=is_warm)
        if model.encoder is not None:
            set_learning_rate(state.optimiser, state.candidate.learning_rate if is_warm else WARMUP_RATE)
        with precision.autocast():
            output = model(batch)
        loss = self.criterion.compute_loss(output, batch.targets)
        precision.backward(loss)
        try:
            precision.step(state.optimiser)
        except TrainingError:  # too large a learning rate loses the search, it does not end it
            state.has_diverged = True
        state.optimiser.zero_grad()
        state.num_steps += 1

    @torch.no_grad()
    def predict(self, index: int, batch: Batch) -> Any:
        """Output of one model."""
        model = self._models[index].eval()
        with self._precisions[index].autocast():
            return model(batch)

    def copy_state(self, index: int) -> Mapping[str, Tensor]:
        """Parameters and buffers of one model."""
        return copy_state(self._models[index])

    def load_state(self, index: int, state: Mapping[str, Tensor]) -> None:
        """Put such a state back."""
        self._models[index].load_state_dict(state)
