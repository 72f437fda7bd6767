"""What each measure of speed is worth, beside a plain loop of the same model (fp32, eager, contiguous, unfused).

    python benchmarks/step_time.py [EXPERIMENT] [--set KEY=VALUE ...] [--measures NAME ...] [--turns 6] [--steps 3]
                                   [--prepared FOLDER] [--device cpu]

Every measure alone, and those of the defaults together, each in a process of its own that takes turns with a plain one:
a turn is some optimiser steps, of which the first is not timed. Prints seconds of a step (medians), the ratio of the
two (the median over pairs of turns, the smallest and the largest: above 1 the measure is faster), the same ratio of
processor time, which other programs disturb less, and peak memory (of the process; on a GPU of its allocator).
Then the data path: samples/s of batches alone beside what the model consumes alone. Target: at least 3 times.

Data must be prepared (`lovt data prepare`); `--prepared` is the folder, by default that of the workspace.
"""

import argparse
import itertools
import multiprocessing
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

DATA_TARGET = 3


@dataclass(frozen=True)
class Measure:
    """What is done to the plain loop."""

    training: dict[str, Any] = field(default_factory=dict)
    """Settings of `training` that differ."""
    channels_last: bool = False
    optimiser: dict[str, bool] = field(default_factory=lambda: {"foreach": False})
    """How AdamW goes through the parameters; one by one where nothing else is said."""
    bucket: int = 1


PLAIN = Measure()
MEASURES = {
    "channels-last": Measure(channels_last=True),
    "bf16": Measure({"precision": "bf16"}),
    "grouped optimiser": Measure(optimiser={"foreach": True}),
    "fused optimiser": Measure(optimiser={"fused": True}),
    "bucketed lengths": Measure(bucket=16),
    "prefetch": Measure({"prefetch": True}),
    "micro-batch 1/2": Measure({"micro_batch": 0.5}),
    "micro-batch 1/4": Measure({"micro_batch": 0.25}),
    "compile": Measure({"compile": True}),
    "together": Measure(channels_last=True, optimiser={"foreach": True}),
}


@dataclass(frozen=True)
class Subject:
    """What is measured, in values that another process can be given."""

    experiment: str
    overrides: tuple[str, ...]
    prepared: Path
    device: str
    steps: int


@dataclass(frozen=True)
class Turn:
    """What a step took."""

    seconds: float
    processor_seconds: float
    peak_gib: float


class Loop:
    """A model that trains under a measure, without validation and checkpoints."""

    def __init__(self, subject: Subject, measure: Measure) -> None:
        import torch

        from lovt_core.config.loading import find_experiment_file, load_experiment
        from lovt_core.data.training_data import open_training_data
        from lovt_core.methods.building import build_training
        from lovt_core.training.optimiser_step import OptimiserStep

        experiment = load_experiment(find_experiment_file(subject.experiment), list(subject.overrides))
        assert experiment.kind == "pretrain"
        changes = {"precision": "fp32", "prefetch": False, "micro_batch": None} | measure.training
        if isinstance(changes["micro_batch"], float):
            changes["micro_batch"] = max(1, int(changes["micro_batch"] * experiment.training.batch_size))
        self.config = experiment.training.model_copy(update=changes)
        experiment = experiment.model_copy(update={"training": self.config})
        self.training = build_training(experiment, open_training_data(experiment, subject.prepared), subject.device)
        self.training.model.train()
        encoder = self.training.model.image_encoder
        if not measure.channels_last:
            encoder.to(memory_format=torch.contiguous_format)
            encoder.trunk.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(),))
        if hasattr(self.training.model, "report_encoder"):
            tokenizer = self.training._batches.tokenizer
            collate = tokenizer.collate
            tokenizer.collate = lambda reports, _: collate(reports, measure.bucket)
        self.step = OptimiserStep(self.training, self.config)
        rate = self.config.optimiser.learning_rate
        groups = [each for each in self.training.model.parameters() if each.requires_grad]
        self.step.optimiser = torch.optim.AdamW(groups, lr=rate, **measure.optimiser)
        self.device = torch.device(subject.device)
        self.number = 0
        self.batches = self._all_batches()
        if measure.training.get("prefetch"):
            from lovt_core.training.prefetch import prefetch

            self.batches = prefetch(self.batches)

    def _all_batches(self) -> Any:
        for epoch in itertools.count():
            yield from self.training.training_batches(epoch, 0)

    def run(self, steps: int, batches: Iterator[Any] | None = None) -> Turn:
        """The mean over so many steps; one more before them is not timed."""
        self._step(batches or self.batches)
        self._wait()
        started, processor_started = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self._step(batches or self.batches)
        self._wait()
        seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_started
        return Turn(seconds / steps, processor_seconds / steps, self.peak_memory())

    def _step(self, batches: Iterator[Any]) -> None:
        self.number += 1
        self.step.run(batches, self.count, self.number, self.config.optimiser.learning_rate)

    @property
    def count(self) -> int:
        """Batches of a step."""
        return min(self.config.accumulate, self.training.batches_per_epoch)

    def _wait(self) -> None:
        import torch

        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def peak_memory(self) -> float:
        """In GiB."""
        import torch

        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated() / 2**30
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def serve(connection: Connection, subject: Subject, measure: Measure) -> None:
    """In a process of its own: a turn for every message until None comes."""
    loop = Loop(subject, measure)
    while connection.recv() is not None:
        connection.send(loop.run(subject.steps))


class Process:
    """A loop in a process of its own."""

    def __init__(self, subject: Subject, measure: Measure) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, subject, measure), daemon=True)
        self._process.start()
        other.close()

    def turn(self) -> Turn:
        """Let it take its turn."""
        self._connection.send("turn")
        result: Turn = self._connection.recv()
        return result

    def end(self) -> None:
        """Wait for its end."""
        self._connection.send(None)
        self._process.join()


def compare(name: str, subject: Subject, turns: int) -> None:
    """Print one measure beside the plain loop."""
    plain, measured = Process(subject, PLAIN), Process(subject, MEASURES[name])
    plain.turn(), measured.turn()  # they warm up
    pairs: list[tuple[Turn, Turn]] = []
    for number in range(turns):  # whoever began the last pair ends this one
        first, second = (plain, measured) if number % 2 else (measured, plain)
        results = {first: first.turn(), second: second.turn()}
        pairs.append((results[plain], results[measured]))
    plain.end(), measured.end()
    seconds = [statistics.median(pair[side].seconds for pair in pairs) for side in (0, 1)]
    ratios = sorted(before.seconds / after.seconds for before, after in pairs)
    processor = statistics.median(before.processor_seconds / after.processor_seconds for before, after in pairs)
    memory = [max(pair[side].peak_gib for pair in pairs) for side in (0, 1)]
    print(
        f"{name:18s} {seconds[0]:8.3f} {seconds[1]:8.3f} {statistics.median(ratios):8.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f}) {processor:8.2f} {memory[0]:8.2f} {memory[1]:6.2f}",
        flush=True,
    )


def compare_data(subject: Subject, turns: int) -> bool:
    """Batches alone beside the model alone, by turns; whether the target is met."""
    loop = Loop(subject, MEASURES["together"])
    batches = loop._all_batches()
    kept = next(batches)
    ratios, made, consumed = [], [], []
    for _ in range(turns):
        samples = loop.config.batch_size * loop.training.batches_per_epoch
        started = time.perf_counter()
        for _ in range(loop.training.batches_per_epoch):
            next(batches)
        loop._wait()
        made.append(samples / (time.perf_counter() - started))
        consumed.append(loop.config.batch_size * loop.count / loop.run(1, itertools.repeat(kept)).seconds)
        ratios.append(made[-1] / consumed[-1])
    ratio = statistics.median(ratios)
    print(
        f"data path alone {statistics.median(made):.0f} samples/s, the model alone {statistics.median(consumed):.1f}: "
        f"{ratio:.1f} times (target: at least {DATA_TARGET}) {'met' if ratio >= DATA_TARGET else 'MISSED'}"
    )
    return ratio >= DATA_TARGET


def main() -> int:
    """0 when the data path meets its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="pretraining/covid-chestxray.yaml")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.prepared is None:
        from lovt_core.runs.workspace import find_workspace

        options.prepared = find_workspace().prepared_root
    subject = Subject(options.experiment, tuple(options.overrides), options.prepared, options.device, options.steps)
    print(f"{options.experiment} on {options.device}: seconds of a step, plain and measured; ratio;", end=" ")
    print("ratio of processor time; peak GiB of both", flush=True)
    for name in options.measures:
        compare(name, subject, options.turns)
    return 0 if compare_data(subject, options.turns) else 1


if __name__ == "__main__":
    raise SystemExit(main())
