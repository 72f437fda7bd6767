"""The 18 tasks against the protocol's table, and names of several tasks."""

import re

import pytest

from lovt_core.data.catalog import find_data_set
from lovt_core.errors import InputError
from lovt_core.tasks import SUITES, TASKS, expand_tasks, find_task

TABLE = """
1 rsna-yolo-finetuned-1 0.01 8 100 3e-4,1e-4 500 20 map
2 rsna-yolo-finetuned-10 0.1 64 100 3e-4,1e-3 100 10 map
3 rsna-yolo-finetuned-100 1 64 100 3e-4,1e-4 50 10 map
4 rsna-yolo-frozen-1 0.01 8 0 1e-3,3e-4 500 20 map
5 rsna-yolo-frozen-10 0.1 64 0 1e-3 100 10 map
6 rsna-yolo-frozen-100 1 64 0 3e-4,1e-3 50 10 map
7 rsna-linear-1 0.01 8 0 3e-2,1e-2,3e-3,1e-4 500 20 dice
8 rsna-linear-10 0.1 64 0 3e-2,1e-2,3e-3,1e-3 100 10 dice
9 rsna-linear-100 1 64 0 3e-2,1e-2,3e-3,1e-3 50 10 dice
10 covid-unet-finetuned 1 8 20 1e-4,3e-4 100 20 dice
11 covid-unet-frozen 1 8 0 1e-4,3e-4,1e-3 100 20 dice
12 covid-linear 1 8 0 3e-2,1e-2,3e-3,1e-3 100 20 dice
13 siim-unet-finetuned 1 64 100 3e-5,1e-5 50 10 dice
14 siim-unet-frozen 1 64 0 3e-5,1e-5 50 10 dice
15 object-cxr-yolo-finetuned 1 64 100 1e-3,3e-4 100 10 froc
16 object-cxr-yolo-frozen 1 64 0 1e-3,3e-3 100 10 froc
17 object-cxr-linear 1 64 0 3e-1,1e-1,3e-2,1e-2 100 10 dice
18 nih-linear 1 64 0 1e-1,3e-2,1e-2 100 10 average_dice
"""
"""Number, id, share of the training list, batch, warm-up steps, rates, epochs, patience, metric (PROTOCOL A.1)."""


def test_tasks_are_those_of_the_protocol():
    for task, line in zip(TASKS, TABLE.strip().splitlines(), strict=True):
        number, name, fraction, batch, warmup, rates, epochs, patience, metric = line.split()
        assert (task.number, task.id, task.metric) == (int(number), name, metric)
        assert (task.batch_size, task.warmup_steps) == (int(batch), int(warmup))
        assert (task.max_epochs, task.patience) == (int(epochs), int(patience))
        assert task.learning_rates == tuple(map(float, rates.split(",")))
        assert task.train_fraction == float(fraction)
        assert task.validation_fraction == (0.1 if task.data == "rsna" else 1.0)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_a_task_says_in_its_name_what_it_is(task):
    assert task.head in task.id
    assert (task.encoder in task.id) or (task.head == "linear" and task.encoder == "frozen")
    assert task.id.startswith(task.data.partition("-")[0])
    assert find_task(task.id) == task
    assert find_data_set(task.data).kind == "localized"
    assert find_data_set(task.data).classes == task.classes
    assert {"finetuned": "fine-tuned", "frozen": "frozen"}[task.encoder] in task.title


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["all"], list(range(1, 19))),
        (["rsna"], list(range(1, 10))),
        (["frozen"], [4, 5, 6, 7, 8, 9, 11, 12, 14, 16, 17, 18]),
        (["finetuned"], [1, 2, 3, 10, 13, 15]),
        (["paper-tuning"], [5]),
        (["rsna-yolo-*-10,12", "nih-linear"], [2, 5, 12, 18]),
        (["18", "1", "1"], [1, 18]),
        (["covid-linear", " covid-linear , "], [12]),
    ],
)
def test_suites_globs_numbers_and_lists(names, numbers):
    assert [task.number for task in expand_tasks(names)] == numbers


@pytest.mark.parametrize(
    ("name", "hint"), [("covid-liner", "covid-linear"), ("frosen", "frozen"), ("19", "suites are")]
)
def test_unknown_names_are_told_with_what_is_meant(name, hint):
    with pytest.raises(InputError, match=re.escape(hint)):
        expand_tasks([name])


def test_every_suite_has_tasks():
    assert all(expand_tasks([suite]) for suite in SUITES)
