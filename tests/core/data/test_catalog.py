import hashlib

import pytest

from lovt_core.data.catalog import DATA_SETS, find_data_set
from lovt_core.data.splits import build_split
from lovt_core.errors import DataError
from lovt_core.tasks import TASKS
from tests.core.data.factories import prepare_quietly, write_chestxray, write_rural

TINY = {"covid-chestxray": write_chestxray, "covid-rural": write_rural}


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.name)
def test_every_data_set_is_prepared_and_split(data_set, tmp_path, root):
    data = prepare_quietly(data_set.name, TINY[data_set.layout](tmp_path / "download"), root)
    assert len(data.samples) == 6
    assert build_split(data, "patient:0").train
    assert sum(data_set.split_fractions) == pytest.approx(1)
    assert data_set.url.startswith("https://")
    assert data_set.licence
    assert data_set.citation


def test_every_task_reads_a_known_localized_set():
    for task in TASKS:
        data_set = find_data_set(task.data)
        assert data_set.kind == "localized"
        assert data_set.classes == task.classes


def test_published_ids_are_those_of_the_published_lists(data_folder):
    lists = [data_folder / "splits" / "covid_rural" / f"{part}.csv" for part in ("train", "validation", "test")]
    ids = sorted(line for path in lists for line in path.read_text().splitlines()[1:])
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    assert digest == find_data_set("covid-rural").published_ids_sha256


def test_unknown_name():
    with pytest.raises(DataError, match="unknown data set 'covid': known data sets are covid-chestxray, covid-rural"):
        find_data_set("covid")
