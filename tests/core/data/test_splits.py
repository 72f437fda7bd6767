from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.data.prepared import Sample
from lovt_core.data.splits import build_split, compute_split_fingerprint, split_by_patient
from lovt_core.errors import DataError

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


@pytest.mark.parametrize("spec", ["random", "patient", "patient:", "patient:-1", "patient:x", "published"])
def test_unknown_splits(localized, spec):
    with pytest.raises(DataError, match=f"unknown split '{spec}': write patient:SEED with a whole number"):
        build_split(localized, spec)
