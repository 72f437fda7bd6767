import shutil
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.data.prepared import Sample
from lovt_core.data.split_choice import keep_choice, keep_lists
from lovt_core.data.split_lists import load_lists, load_published
from lovt_core.data.splits import build_split, compute_split_fingerprint, split_by_patient, take_first
from lovt_core.errors import DataError
from tests.core.data.factories import write_lists

FRACTIONS = [(0.6, 0.2, 0.2), (0.8, 0.2, 0.0), (1.0, 0.0, 0.0)]


def make_samples(patients):
    return [Sample(f"image-{row}", patient, (row,)) for row, patient in enumerate(patients)]


patients = st.lists(st.sampled_from([f"p{number}" for number in range(12)]), min_size=1, max_size=60)


@settings(deadline=None)
@given(patients=patients, fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 5))
def test_parts_are_disjoint_by_patient_whole_and_never_empty(patients, fractions, seed):
    samples = make_samples(patients)
    wanted = [fraction > 0 for fraction in fractions]
    if len(set(patients)) < sum(wanted):
        with pytest.raises(DataError, match="cannot be split into"):
            split_by_patient(samples, fractions, seed)
        return
    parts = split_by_patient(samples, fractions, seed)
    assert sorted(row for part in parts for row in part) == list(range(len(samples)))
    owners = [{samples[row].patient for row in part} for part in parts]
    assert sum(map(len, owners)) == len(set(patients))
    assert [bool(part) for part in parts] == wanted
    assert all(list(part) == sorted(part) for part in parts)


@settings(deadline=None)
@given(patients=patients, seed=st.integers(0, 3))
def test_parts_come_close_to_their_fractions(patients, seed):
    largest = max(Counter(patients).values())
    if len(set(patients)) < 3:
        return
    _, validation, test = split_by_patient(make_samples(patients), FRACTIONS[0], seed)
    target = max(round(0.2 * len(patients)), 1)
    assert len(test) < target + largest
    assert len(validation) < target + largest


def test_order_of_the_samples_does_not_matter():
    samples = make_samples([f"p{number % 9}" for number in range(30)])
    ids = [{samples[row].id for row in part} for part in split_by_patient(samples, FRACTIONS[0], 0)]
    turned = samples[::-1]
    assert ids == [{turned[row].id for row in part} for part in split_by_patient(turned, FRACTIONS[0], 0)]


def test_seeds_give_other_splits():
    samples = make_samples([f"p{number}" for number in range(40)])
    assert len({split_by_patient(samples, FRACTIONS[0], seed)[2] for seed in range(5)}) == 5


def test_fingerprint_is_of_ids_not_rows():
    samples = make_samples(["a", "b", "c"])
    assert compute_split_fingerprint(samples, ((0,), (1,), (2,))) == compute_split_fingerprint(
        samples[::-1], ((2,), (1,), (0,))
    )
    assert compute_split_fingerprint(samples, ((0,), (1,), (2,))) != compute_split_fingerprint(
        samples, ((0,), (2,), (1,))
    )


def test_split_of_prepared_data_is_announced(localized):
    split = build_split(localized, "patient:0")
    assert split.announcement.startswith(f"covid-rural ({localized.fingerprint[:8]}): split by patient with seed 0")
    assert "not a published split: 2 training (1 patients), 2 validation (1 patients)" in split.announcement
    assert split == build_split(localized, "patient:0")
    assert len(split.fingerprint) == 64


def test_paired_data_has_no_test_part(paired):
    split = build_split(paired, "patient:0")
    assert (len(split.train), len(split.validation), split.test) == (4, 2, ())
    assert "test" not in split.announcement


@pytest.mark.parametrize(
    "spec", ["random", "patient", "patient:", "patient:-1", "patient:x", "lists:1", "lists:zz345678"]
)
def test_unknown_splits(localized, spec):
    with pytest.raises(DataError, match=f"unknown split '{spec}': write auto, published, download, lists:HASH, or"):
        build_split(localized, spec)


def name_samples(data, names):
    """The same data with other ids."""
    data.samples = tuple(replace(sample, id=name) for sample, name in zip(data.samples, names, strict=True))
    return data


def test_published_lists_are_used_where_ids_match(localized):
    lists = load_published("covid-rural")
    names = (lists.test[1], lists.train[7], "unknown", lists.train[2], lists.validation[0], lists.test[0])
    split = build_split(name_samples(localized, names), "auto")
    assert split.spec == "published"
    assert split.parts == ((3, 1), (4,), (5, 0))  # in the order of the lists
    expected = "published split (not in this data: 216 of 221 listed samples; in no list: 1 of 6 samples): 2 training"
    assert expected in split.announcement


def test_without_listed_ids_the_split_is_by_patient(localized):
    split = build_split(localized, "auto")
    assert split == build_split(localized, "patient:0")
    with pytest.raises(DataError, match="has none of the 221 samples of the published split"):
        build_split(localized, "published")


def test_no_published_lists(paired):
    with pytest.raises(DataError, match="no split of covid-chestxray was published: write auto"):
        build_split(paired, "published")


def test_split_of_the_download(paired):
    with pytest.raises(DataError, match="the download of covid-chestxray does not split its samples"):
        build_split(paired, "download")
    parts = ("test", "train", None, "validation", "train", "train")
    paired.samples = tuple(replace(sample, split=part) for sample, part in zip(paired.samples, parts, strict=True))
    split = build_split(paired, "auto")
    assert (split.spec, split.parts) == ("download", ((1, 4, 5), (3,), (0,)))
    assert "split of the download (in no part: 1 of 6 samples): 3 training" in split.announcement


def test_a_users_own_lists(localized, tmp_path):
    ids = [sample.id for sample in localized.samples]
    write_lists(tmp_path / "lists", (ids[3], ids[1]), (ids[0],), (ids[5], ids[4]))
    folder = localized.path.parent
    spec = keep_lists(folder, load_lists(tmp_path / "lists"))
    shutil.rmtree(tmp_path / "lists")
    split = build_split(localized, spec)
    assert split.parts == ((3, 1), (0,), (5, 4))
    assert f"split by {spec.replace(':', ' ')}, not a published split (in no list: 1 of 6 samples)" in (
        split.announcement
    )
    keep_choice(folder, spec)
    assert build_split(localized, "auto") == split
    keep_choice(folder, "auto")
    assert build_split(localized, "auto").spec == "patient:0"


def test_kept_lists_cannot_be_changed_or_guessed(localized, tmp_path):
    ids = [sample.id for sample in localized.samples]
    write_lists(tmp_path / "lists", ids[:2], ids[2:4], ids[4:])
    spec = keep_lists(localized.path.parent, load_lists(tmp_path / "lists"))
    kept = localized.path.parent / "lists" / spec.partition(":")[2] / "test.csv"
    kept.write_text("ID\nother\n")
    with pytest.raises(DataError, match="the lists were changed since they were kept"):
        build_split(localized, spec)
    with pytest.raises(DataError, match="no split lists 00000000 in"):
        build_split(localized, "lists:00000000")


def test_subsets_are_the_first_of_the_list():
    rows = tuple(range(100, 260))
    assert take_first(rows, 1.0) == rows
    assert take_first(rows, 0.01) == (100, 101)  # round(1.6)
    assert take_first(rows, 0.10) == rows[:16]
    assert take_first((5, 6, 7, 8, 9), 0.5) == (5, 6)  # half to even, as Python rounds
    assert take_first((5, 6), 0.01) == (5,)
