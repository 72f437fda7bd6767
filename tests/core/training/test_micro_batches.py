"""A training whose memory runs out: the step again in smaller micro-batches, said and kept."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lovt_core.config.training import TrainingConfig
from lovt_core.errors import TrainingError
from lovt_core.models.encoder import Encoder, set_micro_batch
from lovt_core.training.loop import train
from lovt_core.training.monitored import VALIDATION_LOSS
from lovt_core.values import Alarm, CheckpointSaved, Metrics, Value, Workplace

PlaceFactory = Callable[..., Workplace]
BATCH = 8


class _Network(Encoder):
    """A linear layer on a device whose memory holds so many samples, from a given batch of the training on."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)
        self.room = BATCH
        self.room_without_gradients = BATCH

    @property
    def network(self) -> nn.Module:
        return self.layer

    def forward(self, samples: Tensor) -> Tensor:
        return self.in_micro_batches(lambda rows: self._encode(samples[rows]), len(samples))

    def _encode(self, samples: Tensor) -> Tensor:
        room = self.room if self.training else self.room_without_gradients
        if len(samples) > room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        encoded: Tensor = self.layer(samples)
        return encoded


class _Contrast:
    """Each sample against all others of its batch. From batch `short_from` on there is room for `room` samples."""

    seed = 0
    monitored = VALIDATION_LOSS
    batches_per_epoch = 4

    def __init__(self, room: int = BATCH, short_from: int = 0) -> None:
        self.model = _Network()
        self.room = room
        self.short_from = short_from
        self.opened: list[tuple[int, int]] = []
        self.batches = torch.randn(4, BATCH, 4, generator=torch.Generator().manual_seed(1))
        self.done = 0

    def training_batches(self, epoch: int, skip: int) -> Iterator[Tensor]:
        self.opened.append((epoch, skip))
        yield from self.batches[skip:]

    def validation_batches(self, epoch: int) -> Iterator[Tensor]:
        yield self.batches[0]

    def compute_losses(self, batch: Tensor) -> dict[str, Tensor]:
        if self.done >= self.short_from:
            self.model.room = self.room
        encoded = self.model(batch)
        self.done += 1
        return {"loss": -(encoded @ encoded.T).softmax(dim=1).diagonal().log().mean()}

    def compute_validation_scores(self) -> dict[str, float]:
        return {}

    def set_micro_batch(self, samples: int) -> None:
        set_micro_batch(self.model, samples)

    def before_step(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {}

    def save_beside(self, folder: Path) -> None:
        pass


def _config(**training: Any) -> TrainingConfig:
    base = {"batch_size": BATCH, "accumulate": 2, "max_epochs": 2, "precision": "fp32", "device": "cpu"}
    return TrainingConfig.model_validate(base | training)


def _alarms(values: Iterable[Value]) -> list[str]:
    return [value.message for value in values if isinstance(value, Alarm)]


def _losses(values: Iterable[Value]) -> list[float]:
    return [
        number
        for value in values
        if isinstance(value, Metrics)
        for name, number in value.values.items()
        if name in ("train/loss", "train/gradient_norm", "train/epoch_loss", "val/loss")
    ]


def test_a_step_is_repeated_in_halves_until_it_fits(make_place: PlaceFactory) -> None:
    plain = list(train(_Contrast(), _config(), make_place(attempt=9)))
    short = _Contrast(room=2, short_from=3)
    values = list(train(short, _config(), make_place()))
    assert _alarms(values) == [
        "out of GPU memory at step 2: encoders now run over 4 of the 8 samples at once",
        "out of GPU memory at step 2: encoders now run over 2 of the 8 samples at once",
    ]
    assert _losses(values) == pytest.approx(_losses(plain), rel=1e-5)


def test_the_broken_steps_batches_are_made_again(make_place: PlaceFactory) -> None:
    short = _Contrast(room=4, short_from=3)  # the second batch of the second step
    list(train(short, _config(max_epochs=1), make_place()))
    assert short.opened == [(0, 0), (0, 2)]


def test_where_one_sample_is_too_many_the_training_ends_with_advice(make_place: PlaceFactory) -> None:
    with pytest.raises(TrainingError, match=r"out of GPU memory at step 1: lower training\.batch_size \(and raise"):
        list(train(_Contrast(room=0), _config(), make_place()))


def test_a_validation_is_repeated_too(make_place: PlaceFactory) -> None:
    short = _Contrast()
    short.model.room_without_gradients = 4
    values = list(train(short, _config(max_epochs=1), make_place()))
    assert _alarms(values) == ["out of GPU memory at step 2: encoders now run over 4 of the 8 samples at once"]
    plain = list(train(_Contrast(), _config(max_epochs=1), make_place(attempt=2)))
    assert _losses(values) == pytest.approx(_losses(plain), rel=1e-5)


def test_a_resumed_training_begins_with_what_was_found(make_place: PlaceFactory) -> None:
    stops = iter([None, "stopped"])
    first = list(train(_Contrast(room=4), _config(), make_place(stop=lambda: next(stops))))
    last = [value.name for value in first if isinstance(value, CheckpointSaved)][-1]
    resumed = _Contrast(room=4)
    second = list(train(resumed, _config(), make_place(attempt=2, last=last)))
    assert len(_alarms(first)) == 1
    assert not _alarms(second)
    assert resumed.model.micro_batch == 4


def test_the_configured_size_is_the_first(make_place: PlaceFactory) -> None:
    short = _Contrast(room=3)
    assert not _alarms(train(short, _config(micro_batch=3), make_place()))
    assert short.model.micro_batch == 3


def test_a_size_that_the_batch_does_not_reach_changes_nothing(make_place: PlaceFactory) -> None:
    trainable = _Contrast()
    list(train(trainable, _config(micro_batch=100, max_epochs=1), make_place()))
    assert trainable.model.micro_batch is None


def test_memory_that_the_optimiser_lacks_is_no_matter_of_micro_batches(
    make_place: PlaceFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, closure: object = None) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.optim.AdamW, "step", fail)
    trainable = _Contrast()
    with pytest.raises(TrainingError, match="out of GPU memory at step 1"):
        list(train(trainable, _config(), make_place()))
    assert trainable.model.micro_batch is None
