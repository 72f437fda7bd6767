"""How far an evaluation of several tasks is, as one progress that never falls."""

from collections.abc import Iterator, Sequence

from lovt_core.evaluation.protocol import Protocol
from lovt_core.values import Progress, Value


def count_epochs(protocol: Protocol) -> int:
    """Most epochs that search and replicates of a task can take; one that stops early counts as if it had not."""
    num_searched = len(protocol.task.learning_rates) if protocol.is_searched else 0
    return protocol.task.max_epochs * (num_searched + protocol.num_replicates)


class Itinerary:
    """Turns the progress of each task's parts into that of the whole, counted in epochs of trainings."""

    def __init__(self, protocols: Sequence[Protocol]) -> None:
        lengths = [count_epochs(protocol) for protocol in protocols]
        self._starts = [sum(lengths[:index]) for index in range(len(lengths))]
        self._total = sum(lengths)
        self._done = 0

    def follow(self, index: int, values: Iterator[Value]) -> Iterator[Value]:
        """The values of task number `index`, with its progress put into place."""
        self._done = max(self._done, self._starts[index])
        for value in values:
            yield self._locate(index, value) if isinstance(value, Progress) else value

    def _locate(self, index: int, value: Progress) -> Progress:
        note = value.note
        if value.unit == "epoch":
            self._done = max(self._done, self._starts[index] + value.done)
        else:
            note = f"{note}, {value.done} of {value.total} {value.unit}s"
        where = f"task {index + 1} of {len(self._starts)}, " if len(self._starts) > 1 else ""
        return Progress(self._done, self._total, "epoch", where + note)
