"""How many samples the encoders take at once, and fewer of them when the GPU's memory runs out."""

import torch
import torch.distributed

from lovt_core.config.training import TrainingConfig
from lovt_core.errors import TrainingError
from lovt_core.training.trainable import Trainable


class MicroBatches:
    """Keeps the micro-batch of one training. The batch, its losses and its negatives stay what they are."""

    def __init__(self, trainable: Trainable, config: TrainingConfig) -> None:
        self._trainable = trainable
        self._batch_size = config.batch_size
        self._device = next(trainable.model.parameters()).device
        self._size = config.batch_size
        if config.micro_batch is not None:
            self.limit(config.micro_batch)

    @property
    def size(self) -> int:
        """Samples at once; the whole batch where nothing limits it."""
        return self._size

    def limit(self, size: int) -> None:
        """Take no more than `size` samples at once from now on."""
        if size < self._size:
            self._size = size
            self._trainable.set_micro_batch(size)

    def halve(self, step: int, error: torch.OutOfMemoryError) -> str:
        """Take half as many from now on, after `error` at `step`; returns the sentence to say.

        Raises TrainingError where a sample is taken alone already, and where several processes share the training,
        which cannot repeat a step that failed in one of them.
        """
        is_shared = torch.distributed.is_available() and torch.distributed.is_initialized()
        if self._size == 1 or (is_shared and torch.distributed.get_world_size() > 1):
            raise out_of_memory(step, self._size) from error
        self.limit(self._size // 2)
        part = f"{self._size} of the {self._batch_size} samples"
        return f"out of GPU memory at step {step}: encoders now run over {part} at once"

    def release_memory(self) -> None:
        """Give back what a step that failed has left; to be called where its error is gone, which holds on to it."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def out_of_memory(step: int, size: int) -> TrainingError:
    """The error of a step that memory does not suffice for, though it takes `size` samples at once."""
    advice = "training.batch_size (and raise training.accumulate)"
    if size > 1:
        advice = f"training.micro_batch to less than {size}, or {advice}"
    return TrainingError(f"out of GPU memory at step {step}: lower {advice}")
