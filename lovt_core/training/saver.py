"""Writes a training to its checkpoints folder, takes it up again from there, and removes what is superseded."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lovt_core.config.training import TrainingConfig
from lovt_core.errors import ConfigError
from lovt_core.training.checkpoint import (
    ENCODER_SUFFIX,
    STATE_SUFFIX,
    checkpoint_name,
    discard_checkpoints,
    save_checkpoint,
    save_encoder,
)
from lovt_core.training.loop_state import LoopState, state_from_json, state_to_json
from lovt_core.training.optimiser import optimiser_tensors, restore_optimiser
from lovt_core.training.optimiser_step import OptimiserStep
from lovt_core.training.random_state import capture_generators, restore_generators, seed_generators
from lovt_core.training.resume import ResumePoint, TrainingState, newest_whole_checkpoint, save_state
from lovt_core.training.trainable import Trainable
from lovt_core.values import CheckpointSaved, Workplace


class CheckpointSaver:
    """Keeps the `last` and the `best` checkpoint of one training; of several processes the first one alone writes."""

    def __init__(self, trainable: Trainable, step: OptimiserStep, place: Workplace, config: TrainingConfig) -> None:
        self._trainable = trainable
        self._config = config
        self._step = step
        self._place = place
        self._last: str | None = None
        self._writes = step.ranks.is_first
        self._device = next(trainable.model.parameters()).device

    def save(self, state: LoopState) -> None:
        """Publish weights and state after `state.step` steps; raises LovtError when the disk refuses.

        The state comes first: whoever sees the folder of the weights may rely on both.
        """
        if not self._writes:
            return
        name = self.name_of(state)
        folder = self._place.checkpoints / name
        state_folder = folder.with_name(name + STATE_SUFFIX)
        save_state(state_folder, self._capture(state))
        content = {"step": state.step, "epoch": state.epoch, "describe": dict(self._trainable.describe())}
        try:
            save_checkpoint(folder, self._trainable.model, content, self._trainable.save_beside)
        except BaseException:
            shutil.rmtree(state_folder, ignore_errors=True)
            raise
        self._last = name

    def name_of(self, state: LoopState) -> str:
        """Name of the checkpoint that would be saved now."""
        return checkpoint_name(state.step, self._place.attempt)

    def discard_superseded(self, best: str | None, keep_states: bool = True) -> None:
        """Remove all but `last` and `best`; only after the newest one was announced."""
        keep = {name for name in (self._last, best) if name is not None}
        if keep and self._writes:
            discard_checkpoints(self._place.checkpoints, keep, keep_states)

    def has_kept_encoder(self) -> bool:
        """Whether an earlier attempt has come as far as `keep_encoder`; finishes it."""
        best = self._place.best_checkpoint
        if best is None or not best.endswith(ENCODER_SUFFIX) or not (self._place.checkpoints / best).is_dir():
            return False
        if self._writes:
            discard_checkpoints(self._place.checkpoints, {best}, keep_states=False)
        return True

    def keep_encoder(self, best: str | None) -> Iterator[CheckpointSaved]:
        """Put the image encoder of the best checkpoint in the place of all that was saved."""
        if not self._writes:
            return
        name = best or self._last
        reduced = save_encoder(self._place.checkpoints / name) if name is not None else None
        if reduced is not None:
            yield CheckpointSaved(reduced, int(reduced.partition("-")[0]), is_last=False, is_best=True)
            discard_checkpoints(self._place.checkpoints, {reduced}, keep_states=False)

    def restore(self, last: str) -> tuple[ResumePoint, LoopState]:
        """Put model, optimiser and generators back to `last` (or the newest whole one).

        Raises RecordError where none is whole, ConfigError where it is of a model with other tensors, or of a
        training with other steps.
        """
        point = newest_whole_checkpoint(self._place.checkpoints, last)
        check_steps(point.state.document.get("steps", {}), self._describe_steps())
        tensors = point.checkpoint.load_model()
        _check_tensors(self._trainable.model, tensors, point.checkpoint.folder)
        self._trainable.model.load_state_dict(tensors)
        restore_optimiser(self._step.optimiser, self._trainable.model, point.state.optimiser)
        document = point.state.document
        self._step.precision.restore(document["precision"])
        self._restore_generators(point.state.random, document)
        self._last = point.checkpoint.folder.name
        return point, state_from_json(document["loop"], self._config, self._trainable.monitored.mode)

    def _describe_steps(self) -> dict[str, int]:
        """What decides which samples the steps of an epoch are made of."""
        config = self._config
        return {
            "training.batch_size": config.batch_size,
            "training.accumulate": config.accumulate,
            "batches an epoch": self._trainable.batches_per_epoch,
        }

    def _restore_generators(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Those of the first process are in the checkpoint; the others' begin anew, each from its own seed."""
        if self._writes:
            restore_generators(self._device, tensors, document["random"])
        else:
            seed_generators(self._trainable.seed, self._place.rank, int(document["loop"]["step"]))

    def _capture(self, state: LoopState) -> TrainingState:
        random_tensors, random_document = capture_generators(self._device)
        document = {
            "loop": state_to_json(state),
            "steps": self._describe_steps(),
            "precision": self._step.precision.state(),
            "random": random_document,
        }
        return TrainingState(optimiser_tensors(self._step.optimiser, self._trainable.model), random_tensors, document)


def check_steps(saved: Mapping[str, int], own: Mapping[str, int]) -> None:
    """Raise ConfigError where a training cannot go on at the step that it was saved at; older states hold nothing."""
    others = [name for name, value in own.items() if saved.get(name, value) != value]
    if "training.batch_size" in others:  # which is why an epoch has other batches
        others = [name for name in others if name.startswith("training.")]
    changed = [f"{name} was {saved[name]} and is {own[name]} now" for name in others]
    if changed:
        raise ConfigError(
            f"the training cannot go on at its step, for {' and '.join(changed)}: set it back, or start a new run"
        )


def _check_tensors(model: nn.Module, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Raise ConfigError naming the first tensor of which a checkpoint and a model differ."""
    own = model.state_dict()
    for name in (*own, *(name for name in tensors if name not in own)):
        here, there = (_describe_shape(each.get(name)) for each in (own, tensors))
        if here != there:
            raise ConfigError(
                f"checkpoint {folder} is of a model of another size: {name} is {there} there and {here} in the "
                "experiment: give `method` the settings that it was saved with"
            )


def _describe_shape(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else " x ".join(map(str, tensor.shape)) or "a number"
