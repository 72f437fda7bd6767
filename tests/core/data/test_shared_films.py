"""What sets and parts of splits share, in sets of a few samples and in the published split of NIH ChestX-ray8."""

from types import SimpleNamespace

import numpy as np
import pytest

from lovt_core.data.prepared import Sample
from lovt_core.data.shared_films import ALL, UNASSIGNED, Count, FilmPair, compare_parts, compare_sets
from lovt_core.data.split_lists import load_published
from lovt_core.data.splits import Split


def make_set(films, samples):
    """A set of `samples` (patient, number of images) with one film an image, and its hash changed by (film, bits)."""
    generator = np.random.default_rng(0)
    originals = generator.integers(0, 1 << 64, (100, 4), dtype=np.uint64)
    hashes = np.array([originals[film] ^ np.uint64([(1 << bits) - 1, 0, 0, 0]) for film, bits in films])
    rows, listed = iter(range(len(films))), []
    for number, (patient, count) in enumerate(samples):
        listed.append(Sample(f"sample-{number}", patient, tuple(next(rows) for _ in range(count))))
    return SimpleNamespace(samples=tuple(listed), hashes=hashes.reshape(-1, 4), num_images=len(films))


def make_split(train=(), validation=(), test=()):
    return Split("patient:0", tuple(train), tuple(validation), tuple(test), fingerprint="", announcement="")


def by_parts(cells):
    return {(cell.part, cell.other_part): cell.shared for cell in cells}


@pytest.fixture
def one():
    """Five samples of three patients; sample 0 has two images, sample 4 is in no part."""
    films = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]
    data = make_set(films, [("p", 2), ("p", 1), ("q", 1), ("r", 1), ("r", 1)])
    return data, make_split(train=(0, 1), validation=(2,), test=(3,))


@pytest.fixture
def two():
    """Four samples: films 0 (5 bits off), 1 (26 bits off), 3, and 4 (27 bits off)."""
    data = make_set([(0, 5), (1, 26), (3, 0), (4, 27)], [("a", 1), ("b", 1), ("c", 1), ("d", 1)])
    return data, make_split(train=(0,), test=(1, 2, 3))


def test_sets_part_by_part(one, two):
    table = compare_sets(*one, *two)
    assert table.sizes == {
        "training": Count(3, 2, 1),
        "validation": Count(1, 1, 1),
        "test": Count(1, 1, 1),
        UNASSIGNED: Count(1, 1, 1),
        ALL: Count(6, 5, 3),
    }
    assert table.other_sizes == {"training": Count(1, 1, 1), "test": Count(3, 3, 3), ALL: Count(4, 4, 4)}
    nothing, single = Count(0, 0, 0), Count(1, 1, 1)
    assert by_parts(table.cells) == {
        ("training", "training"): single,
        ("training", "test"): single,
        ("training", ALL): Count(2, 1, 1),
        ("validation", "training"): nothing,
        ("validation", "test"): single,
        ("validation", ALL): single,
        ("test", "training"): nothing,
        ("test", "test"): nothing,
        ("test", ALL): nothing,
        (UNASSIGNED, "training"): nothing,
        (UNASSIGNED, "test"): nothing,
        (UNASSIGNED, ALL): nothing,
        (ALL, "training"): single,
        (ALL, "test"): Count(2, 2, 2),
        (ALL, ALL): Count(3, 2, 2),
    }
    assert table.pairs == (FilmPair(3, 2, 0), FilmPair(0, 0, 5), FilmPair(1, 1, 26))


def test_pairs_are_the_nearest_of_all_parts(one):
    near = make_set([(0, 9), (0, 3), (0, 4)], [("a", 1), ("b", 1), ("c", 1)])
    table = compare_sets(*one, near, make_split(train=(0,), validation=(1,), test=(2,)))
    assert table.pairs == (FilmPair(0, 1, 3),)
    assert by_parts(table.cells)[ALL, ALL] == Count(1, 1, 1)


def test_parts_of_one_split():
    films = [(0, 0), (1, 0), (0, 4), (1, 2), (7, 0), (0, 0)]
    data = make_set(films, [("p", 1), ("q", 1), ("q", 1), ("s", 1), ("t", 1), ("t", 1)])
    table = compare_parts(data, make_split(train=(0, 1), test=(2, 3)))
    nothing = Count(0, 0, 0)
    film, patient = by_parts(table.by_film), by_parts(table.by_patient)
    assert set(film) == set(patient)
    assert ("training", "training") not in film
    assert film["training", "test"] == film["test", "training"] == Count(2, 2, 2)
    assert film["training", UNASSIGNED] == film[UNASSIGNED, "training"] == Count(1, 1, 1)
    assert film["test", UNASSIGNED] == Count(1, 1, 1)
    assert film[ALL, ALL] == Count(5, 5, 4)
    assert patient["training", "test"] == patient["test", "training"] == Count(1, 1, 1)
    assert patient["test", UNASSIGNED] == patient[UNASSIGNED, ALL] == nothing
    assert patient[ALL, ALL] == Count(2, 2, 1)
    assert table.pairs == (FilmPair(0, 5, 0), FilmPair(1, 3, 2), FilmPair(2, 0, 4))


def test_films_twice_in_one_part_are_no_leak():
    data = make_set([(0, 0), (0, 0), (1, 0)], [("p", 1), ("q", 1), ("r", 1)])
    table = compare_parts(data, make_split(train=(0, 1), test=(2,)))
    assert table.pairs == ()
    assert by_parts(table.by_film)[ALL, ALL] == Count(0, 0, 0)


def test_a_set_that_is_not_split():
    data = make_set([(0, 0), (0, 0)], [("p", 1), ("p", 1)])
    table = compare_parts(data, make_split())
    assert list(table.sizes) == [UNASSIGNED, ALL]
    assert by_parts(table.by_film) == by_parts(table.by_patient)
    assert by_parts(table.by_film)[ALL, ALL] == Count(0, 0, 0)


def test_patients_that_the_published_split_of_nih_shares():
    """The published lists are by image; 13, 12 and 5 patients are in two parts."""
    lists = load_published("nih-cxr")
    ids = sorted(lists.ids)
    samples = tuple(Sample(id_, id_.partition("_")[0], (row,)) for row, id_ in enumerate(ids))
    hashes = np.random.default_rng(0).integers(0, 1 << 64, (len(ids), 4), dtype=np.uint64)
    data = SimpleNamespace(samples=samples, hashes=hashes, num_images=len(ids))
    row_of = {id_: row for row, id_ in enumerate(ids)}
    table = compare_parts(data, make_split(*([row_of[id_] for id_ in part] for part in lists.parts)))
    patients = {parts: count.patients for parts, count in by_parts(table.by_patient).items()}
    assert patients["training", "test"] == patients["test", "training"] == 13
    assert patients["training", "validation"] == patients["validation", "training"] == 12
    assert patients["validation", "test"] == patients["test", "validation"] == 5
    assert by_parts(table.by_film)[ALL, ALL] == Count(0, 0, 0)
    assert table.sizes[ALL].samples == 980
