"""Batches made ahead: the same ones in the same order, errors, and threads that end."""

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.errors import DataError
from lovt_core.selftest import selftest
from lovt_core.training.prefetch import prefetch
from lovt_core.values import Workplace
from tests.core.training.looped import losses_by_step

PlaceFactory = Callable[..., Workplace]
ExperimentFactory = Callable[..., SelftestExperiment]


class _Source:
    """Numbers, and how many were made, in which thread, and whether somebody has closed it."""

    def __init__(self, count: int = 100, fails_at: int | None = None) -> None:
        self.count = count
        self.fails_at = fails_at
        self.made = 0
        self.threads: set[str] = set()
        self.is_closed = False

    def open(self) -> Generator[int, None, None]:
        try:
            for number in range(self.count):
                if number == self.fails_at:
                    raise DataError("image 7 cannot be read")
                self.made += 1
                self.threads.add(threading.current_thread().name)
                yield number
        finally:
            self.is_closed = True


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert "prefetch" not in {thread.name for thread in threading.enumerate()}


def test_all_batches_in_order_made_in_one_thread() -> None:
    source = _Source(20)
    assert list(prefetch(source.open())) == list(range(20))
    assert source.threads == {"prefetch"}
    assert source.is_closed


def test_no_batches() -> None:
    assert list(prefetch(_Source(0).open())) == []


def test_never_more_than_two_are_made_ahead() -> None:
    source = _Source()
    batches = prefetch(source.open())
    for taken in range(1, 11):
        next(batches)
        assert source.made <= taken + 2
    batches.close()


def test_the_next_batch_is_made_while_the_present_one_is_used() -> None:
    second_is_made = threading.Event()

    def two() -> Generator[int, None, None]:
        yield 1
        second_is_made.set()
        yield 2

    batches = prefetch(two())
    assert next(batches) == 1
    assert second_is_made.wait(timeout=20)
    batches.close()


def test_an_error_is_raised_in_the_place_of_its_batch() -> None:
    batches = prefetch(_Source(fails_at=3).open())
    assert [next(batches) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match="image 7 cannot be read"):
        next(batches)


def test_closing_ends_the_thread_and_the_source() -> None:
    source = _Source()
    batches = prefetch(source.open())
    next(batches)
    batches.close()
    assert source.is_closed


@pytest.mark.parametrize("ending", [{}, {"max_steps": 3}])
def test_a_training_is_the_same_to_the_bit(
    make_place: PlaceFactory, build_experiment: ExperimentFactory, ending: dict[str, Any]
) -> None:
    plain, ahead = (build_experiment(prefetch=wanted, **ending) for wanted in (False, True))
    assert losses_by_step(selftest(ahead, make_place(attempt=2))) == losses_by_step(selftest(plain, make_place()))


def test_a_stopped_training_leaves_no_thread(make_place: PlaceFactory, build_experiment: ExperimentFactory) -> None:
    values = selftest(build_experiment(prefetch=True), make_place())
    next(values)
    values.close()  # type: ignore[attr-defined]
