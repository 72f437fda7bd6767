import pytest

from lovt_core.data.catalog import DATA_SETS, find_data_set, read_labels
from lovt_core.data.splits import build_split
from lovt_core.errors import DataError
from lovt_core.tasks import TASKS
from tests.core.data.factories import prepare_quietly, synthesize_quietly


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.name)
def test_every_data_set_says_what_it_is(data_set):
    assert sum(data_set.split_fractions) == pytest.approx(1)
    assert data_set.url.startswith("https://") or data_set.name == "paired-csv"
    for fact in ("title", "summary", "licence", "citation", "approximate_size", "documented_layout"):
        assert getattr(data_set, fact)
    assert bool(data_set.classes) == (data_set.kind == "localized")
    assert data_set.credentialed == (data_set.name == "mimic-cxr")


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.name)
def test_every_data_set_is_read_prepared_and_split(data_set, tmp_path, root):
    source = synthesize_quietly(tmp_path / "download", data_set.name)
    labels = read_labels(data_set, source)
    assert labels.problems == ()
    assert all(count > 0 for _, count in labels.counts[:2])
    data = prepare_quietly(data_set.name, source, root)
    assert {sample.id for sample in data.samples} <= set(labels.ids)
    assert build_split(data, "patient:0").train
    assert build_split(data, "auto").train


def test_every_task_reads_a_known_localized_set():
    for task in TASKS:
        data_set = find_data_set(task.data)
        assert data_set.kind == "localized"
        assert data_set.classes == task.classes


def test_unknown_name():
    with pytest.raises(DataError, match="unknown data set 'covid': known data sets are mimic-cxr, openi, covid-"):
        find_data_set("covid")
