"""One encoder on one task: learning-rate search, replicates, cell (PROTOCOL A.4 to A.6)."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from lovt_core.evaluation.case_pictures import save_cases
from lovt_core.evaluation.cell import build_identity, compute_cell, describe_encoder, describe_overlap
from lovt_core.evaluation.completed import Piece, find_completed
from lovt_core.evaluation.itinerary import count_epochs
from lovt_core.evaluation.replicates import compute_seeds
from lovt_core.evaluation.task_setup import EncodedTask, TaskSetup
from lovt_core.evaluation.training.candidate import TrainedHead
from lovt_core.evaluation.training.criteria import Scores
from lovt_core.evaluation.training.head_training import HeadTraining, Tick
from lovt_core.values import Note, Progress, Result, Value, Workplace

PICTURED_REPLICATE = 0
"""The replicate whose predictions are kept for looking at."""


class TaskEvaluation:
    """Search, replicates and cell of one task; pieces that earlier attempts have finished are not done again."""

    def __init__(self, setup: TaskSetup, place: Workplace) -> None:
        self.setup = setup
        self.place = place
        self.task = setup.task
        self.protocol = setup.protocol
        seed = setup.subject.seed
        self._search_seed, *self._seeds = compute_seeds(seed, 1 + self.protocol.num_replicates)
        self._numbers = f"{setup.resources.precision} on {place.device.partition(':')[0]}"
        self._identity = build_identity(setup.subject, self.protocol, setup.data, self._numbers)
        self._completed = find_completed(place.completed, self.task.id, self._identity)
        self._num_over = len(self._completed.rates) + len(self._completed.replicates)

    def run(self) -> Iterator[Value]:
        """Yield progress and each missing piece as it is finished; nothing where the cell is there already."""
        if self._completed.num_outdated:
            yield Note(
                f"{self._completed.num_outdated} finished pieces of {self.task.id} are of another encoder, protocol or "
                "data: they are done again"
            )
        if self._completed.cell is not None or (self._completed.search and not self.protocol.num_replicates):
            return
        yield from self._announce()
        rate = yield from self._search()
        if not self.protocol.num_replicates:
            return
        replicates = yield from self._train_replicates(rate)
        data = self.setup.data
        yield self._piece(
            "cell",
            encoder=describe_encoder(self.setup.subject),
            protocol=self.protocol.describe(),
            data=data.describe(),
            numbers=self._numbers,
            learning_rate=rate,
            overlap=describe_overlap(self.setup.subject, data, self.place.prepared_root),
            **compute_cell(replicates, self.task.metric),
        )

    def _announce(self) -> Iterator[Note]:
        yield Note(self.setup.data.split.announcement)
        if self.task.is_detection and (flat := self.setup.data.count_flat_boxes()):
            yield Note(f"{flat} boxes of {self.task.data} have no area: they are neither learned nor looked for")

    def _search(self) -> Generator[Value, None, float]:
        """The learning rate with the best validation metric, the earlier of equals."""
        if self._completed.search is not None:
            return float(self._completed.search["chosen"])
        rates = self.task.learning_rates
        pieces: dict[float, Piece] = {}
        if self.protocol.is_searched:
            pieces = dict(self._completed.rates)
            yield from self._try_rates([rate for rate in rates if rate not in pieces], pieces)
        validation = [float(pieces[rate]["validation"]) for rate in rates if rate in pieces]
        chosen = rates[validation.index(max(validation))] if validation else rates[0]
        yield self._piece("search", learning_rates=list(rates), validation=validation, chosen=chosen)
        return chosen

    def _try_rates(self, missing: Sequence[float], pieces: dict[float, Piece]) -> Iterator[Value]:
        """Train with each missing rate; adds what comes out to `pieces`."""
        while missing:
            encoded = yield from self.setup.encode(self._search_seed)
            together = self.setup.count_together(encoded)
            rates, missing = missing[:together], missing[together:]
            training = self._build([(rate, self._search_seed, encoded) for rate in rates])
            for value in self._watch(training, "learning rates"):
                if isinstance(value, Progress):
                    yield value
                    continue
                piece = self._piece("rate", learning_rate=rates[value.index], **_describe(value))
                pieces[rates[value.index]] = piece.data
                yield piece

    def _train_replicates(self, rate: float) -> Generator[Value, None, Sequence[Piece]]:
        """All replicates in order; missing ones are trained side by side as far as memory goes."""
        pieces = dict(self._completed.replicates)
        missing = [number for number in range(self.protocol.num_replicates) if number not in pieces]
        encoded: list[EncodedTask] = []
        while missing:
            encoded.clear()  # before others are encoded
            encoded = [(yield from self.setup.encode(self._seeds[missing[0]]))]
            together = self.setup.count_together(encoded[0])
            numbers, missing = missing[:together], missing[together:]
            for number in numbers[1:]:
                encoded.append((yield from self.setup.encode(self._seeds[number])))
            yield from self._train_group(rate, numbers, encoded, pieces)
        return [pieces[number] for number in range(self.protocol.num_replicates)]

    def _train_group(
        self, rate: float, numbers: Sequence[int], encoded: Sequence[EncodedTask], pieces: dict[int, Piece]
    ) -> Iterator[Value]:
        """Train and test these replicates; adds what comes out to `pieces`."""
        test = self.setup.data.split.test
        training = self._build(
            [(rate, self._seeds[number], item) for number, item in zip(numbers, encoded, strict=True)]
        )
        for value in self._watch(training, "replicates"):
            if isinstance(value, Progress):
                yield value
                continue
            number = numbers[value.index]
            scores = yield from self._report(training, training.judge(value, test), "test")
            piece = self._piece(
                "replicate",
                replicate=number,
                seed=self._seeds[number],
                metric=self.task.metric,
                value=scores.value,
                encoder=encoded[value.index].fingerprint,
                test=scores.details,
                **_describe(value),
            )
            if number == PICTURED_REPLICATE:
                save_cases(training, value, self.setup.data, self.place.artifacts)
            pieces[number] = piece.data
            yield piece

    def _build(self, candidates: Sequence[tuple[float, int, EncodedTask]]) -> HeadTraining:
        return self.setup.build_training(candidates, self.setup.subject.seed)

    def _watch(self, training: HeadTraining, note: str) -> Iterator[Progress | TrainedHead]:
        for value in training.train():
            yield self._describe_tick(training, value, note) if isinstance(value, Tick) else value

    def _report(
        self, training: HeadTraining, judging: Generator[Tick, None, Scores], note: str
    ) -> Generator[Progress, None, Scores]:
        while True:
            try:
                tick = next(judging)
            except StopIteration as end:
                scores: Scores = end.value
                return scores
            yield self._describe_tick(training, tick, note)

    def _describe_tick(self, training: HeadTraining, tick: Tick, note: str) -> Progress:
        """Epochs of trainings so far: whole ones of those that are over, and what those at work have done."""
        where = f"epoch {tick.epoch} of at most {self.task.max_epochs}, {tick.num_running} at work"
        begun = tick.num_running * (tick.epoch - 1 + tick.step / training.order.num_batches)
        done = self._num_over * self.task.max_epochs + int(begun)
        return Progress(done, count_epochs(self.protocol), "epoch", f"{self.task.id}: {note}, {where}")

    def _piece(self, kind: str, **content: Any) -> Result:
        self._num_over += kind in ("rate", "replicate")
        return Result({"type": kind, "task": self.task.id, **content, "identity": self._identity})


def _describe(trained: TrainedHead) -> Mapping[str, Any]:
    return {"validation": trained.validation, "best_epoch": trained.best_epoch, "epochs": trained.num_epochs}
