"""Progress over several tasks."""

from lovt_core.config.evaluation import EvaluationSettings
from lovt_core.evaluation.itinerary import Itinerary, count_epochs
from lovt_core.evaluation.protocol import build_protocols
from lovt_core.tasks import expand_tasks
from lovt_core.values import Alarm, Progress

PROTOCOLS = build_protocols(expand_tasks(["covid-linear", "covid-unet-frozen"]), EvaluationSettings())


def test_each_task_begins_where_the_one_before_would_end_at_most():
    first, second = (count_epochs(protocol) for protocol in PROTOCOLS)
    assert first == PROTOCOLS[0].task.max_epochs * (len(PROTOCOLS[0].task.learning_rates) + 5)
    itinerary = Itinerary(PROTOCOLS)
    alarm = Alarm("as it was")
    early = list(
        itinerary.follow(0, iter([Progress(3, first, "epoch", "search"), alarm, Progress(2, 9, "image", "encoding")]))
    )
    assert early == [
        Progress(3, first + second, "epoch", "task 1 of 2, search"),
        alarm,
        Progress(3, first + second, "epoch", "task 1 of 2, encoding, 2 of 9 images"),
    ]
    (late,) = itinerary.follow(1, iter([Progress(1, second, "epoch", "search")]))
    assert (late.done, late.total) == (first + 1, first + second)


def test_it_never_falls():
    itinerary = Itinerary(PROTOCOLS[:1])
    values = list(itinerary.follow(0, iter([Progress(done, 100, "epoch", "x") for done in (5, 3, 6)])))
    assert [(value.done, value.note) for value in values] == [(5, "x"), (5, "x"), (6, "x")]
