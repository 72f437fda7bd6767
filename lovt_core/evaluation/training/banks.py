"""What a bank of heads in training offers to the loop that trains them (linear heads, or whole models)."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from lovt_core.evaluation.training.batches import Batch
from lovt_core.evaluation.training.criteria import Criterion


class HeadBank(Protocol):
    """Heads of candidates 0, 1, ... that share nothing: a head's numbers do not depend on the others."""

    criterion: Criterion

    def train_step(self, batches: Mapping[int, Batch]) -> None:
        """One optimiser step of each of these candidates on its own batch."""

    def predict(self, index: int, batch: Batch) -> Any:
        """Output of one head for a batch, in evaluation mode and without gradients."""

    def copy_state(self, index: int) -> Mapping[str, Tensor]:
        """Parameters and buffers of one head as they are now."""

    def load_state(self, index: int, state: Mapping[str, Tensor]) -> None:
        """Put such a state back."""
