"""The published split lists, and lists of a user."""

import csv

import pytest

from lovt_core.data.split_lists import compare_ids, load_lists, load_published
from lovt_core.errors import DataError
from tests.core.data.factories import write_lists

FOLDERS = {
    "rsna": "rsna",
    "siim": "siim",
    "object-cxr": "object_cxr",
    "nih-cxr": "nih",
    "covid-rural": "covid_rural",
}
SIZES = {  # PROTOCOL A.1
    "rsna": (16010, 5337, 5337),
    "siim": (7229, 2409, 2409),
    "object-cxr": (6400, 1600, 1000),
    "nih-cxr": (588, 196, 196),
    "covid-rural": (133, 44, 44),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_the_published_lists(name):
    lists = load_published(name)
    assert tuple(map(len, lists.parts)) == SIZES[name]
    assert len(lists.ids) == sum(SIZES[name])


@pytest.mark.parametrize("name", FOLDERS)
def test_published_lists_are_those_of_the_authors_in_their_order(name, data_folder):
    for part in ("train", "validation", "test"):
        with (data_folder / "splits" / FOLDERS[name] / f"{part}.csv").open(newline="") as file:
            ids = tuple(row["ID"] for row in csv.DictReader(file))
        assert getattr(load_published(name), part) == ids


@pytest.mark.parametrize("name", FOLDERS)
def test_the_authors_folders_can_be_given_as_lists(name, data_folder):
    assert load_lists(data_folder / "splits" / FOLDERS[name]) == load_published(name)


def test_nothing_was_published_for_other_sets():
    assert load_published("openi") is None


def test_agreement(tmp_path):
    lists = load_lists(write_lists(tmp_path, "ab", "c", "d"))
    agreement = compare_ids(lists, ("a", "d", "d", "x"))
    assert (agreement.found, agreement.missing, agreement.extra, agreement.repeated) == (2, ("b", "c"), ("x",), ("d",))
    assert not agreement.is_exact
    assert compare_ids(lists, ("d", "c", "b", "a")).is_exact


def test_bad_lists(tmp_path):
    with pytest.raises(DataError, match=r"no such folder; split lists are a folder with train.csv, validation.csv"):
        load_lists(tmp_path / "absent")
    write_lists(tmp_path, "ab", "c", "a")
    with pytest.raises(DataError, match="1 ids occur more than once in the lists, for example a"):
        load_lists(tmp_path)
    (tmp_path / "test.csv").write_text("name\na\n")
    with pytest.raises(DataError, match=r"test.csv: row 1: no column id; found: name"):
        load_lists(tmp_path)
    (tmp_path / "test.csv").unlink()
    with pytest.raises(DataError, match=r"no test.csv there: split lists are train.csv, validation.csv, test.csv"):
        load_lists(tmp_path)
