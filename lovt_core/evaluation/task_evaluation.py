"""One encoder on one task: learning-rate search, replicates, cell (PROTOCOL A.4 to A.6)."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from lovt_core.evaluation.candidate import Candidate, TrainedHead
from lovt_core.evaluation.cell import build_identity, compute_cell, describe_encoder, describe_overlap
from lovt_core.evaluation.completed import Piece, find_completed
from lovt_core.evaluation.encoders import Subject
from lovt_core.evaluation.linear_probe import EpochDone, LinearProbe, ProbeSettings
from lovt_core.evaluation.protocol import Protocol
from lovt_core.evaluation.replicates import compute_seeds
from lovt_core.evaluation.task_data import TaskData
from lovt_core.evaluation.task_encoder import EncodedTask, TaskEncoder
from lovt_core.values import Alarm, Progress, Result, Value, Workplace


class TaskEvaluation:
    """Search, replicates and cell of one task; pieces that earlier attempts have finished are not done again."""

    def __init__(self, subject: Subject, protocol: Protocol, data: TaskData, place: Workplace) -> None:
        self.subject = subject
        self.protocol = protocol
        self.data = data
        self.place = place
        self.task = protocol.task
        self.encoder = TaskEncoder(subject, data, protocol.stride, place.device)
        self._search_seed, *self._seeds = compute_seeds(subject.seed, 1 + protocol.num_replicates)
        self._identity = build_identity(subject, protocol, data)
        self._completed = find_completed(place.completed, self.task.id, self._identity)

    def run(self) -> Iterator[Value]:
        """Yield progress and each missing piece as it is finished; nothing where the cell is there already."""
        if self._completed.num_outdated:
            yield Alarm(
                f"{self._completed.num_outdated} finished pieces of {self.task.id} are of another encoder, protocol or "
                "data: they are done again"
            )
        if self._completed.cell is not None:
            return
        yield Alarm(self.data.split.announcement)
        rate = yield from self._search()
        replicates = yield from self._train_replicates(rate)
        yield self._piece(
            "cell",
            encoder=describe_encoder(self.subject, replicates),
            protocol=self.protocol.describe(),
            data=self.data.describe(),
            learning_rate=rate,
            overlap=describe_overlap(self.subject, self.data, self.place.prepared_root),
            **compute_cell(replicates, self.task.metric),
        )

    def _search(self) -> Generator[Value, None, float]:
        """The learning rate with the best validation metric, the earlier of equals; a single one is not searched."""
        if self._completed.search is not None:
            return float(self._completed.search["chosen"])
        rates = self.protocol.learning_rates
        validation: list[float] = []
        if len(rates) > 1:
            encoded = yield from self.encoder.encode(self._search_seed)
            probe = self._build_probe([Candidate(rate, self._search_seed, encoded.data) for rate in rates])
            best = {}
            for value in self._watch(probe, "learning rates"):
                if isinstance(value, Progress):
                    yield value
                else:
                    best[value.index] = value.validation
            validation = [best[index] for index in range(len(rates))]
        chosen = rates[validation.index(max(validation))] if validation else rates[0]
        yield self._piece("search", learning_rates=list(rates), validation=validation, chosen=chosen)
        return chosen

    def _train_replicates(self, rate: float) -> Generator[Value, None, Sequence[Piece]]:
        """All replicates in order; missing ones are trained side by side as far as their features fit into memory."""
        pieces = dict(self._completed.replicates)
        missing = [number for number in range(self.protocol.num_replicates) if number not in pieces]
        while missing:
            encoded = yield from self.encoder.encode_some([self._seeds[number] for number in missing])
            numbers, missing = missing[: len(encoded)], missing[len(encoded) :]
            for value in self._train_group(rate, numbers, encoded):
                yield value
                if isinstance(value, Result):
                    pieces[value.data["replicate"]] = value.data
        return [pieces[number] for number in range(self.protocol.num_replicates)]

    def _train_group(self, rate: float, numbers: Sequence[int], encoded: Sequence[EncodedTask]) -> Iterator[Value]:
        pairs = list(zip(numbers, encoded, strict=True))
        probe = self._build_probe([Candidate(rate, self._seeds[number], item.data) for number, item in pairs])
        for value in self._watch(probe, "replicates"):
            if isinstance(value, Progress):
                yield value
                continue
            number, item = pairs[value.index]
            test = probe.compute_scores(value, item.data.test)
            yield self._piece(
                "replicate",
                replicate=number,
                seed=self._seeds[number],
                metric=self.task.metric,
                value=test.average_dice,
                validation=value.validation,
                best_epoch=value.best_epoch,
                epochs=value.num_epochs,
                encoder=item.fingerprint,
                test=asdict(test),
            )

    def _watch(self, probe: LinearProbe, note: str) -> Iterator[Progress | TrainedHead]:
        for value in probe.train():
            match value:
                case EpochDone(epoch):
                    yield Progress(epoch, self.protocol.max_epochs, "epoch", f"{self.task.id}: {note}")
                case TrainedHead():
                    yield value

    def _build_probe(self, candidates: Sequence[Candidate]) -> LinearProbe:
        settings = ProbeSettings(self.task.batch_size, self.protocol.max_epochs, self.task.patience)
        return LinearProbe(candidates, settings)

    def _piece(self, kind: str, **content: Any) -> Result:
        return Result({"type": kind, "task": self.task.id, **content, "identity": self._identity})
