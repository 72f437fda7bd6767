"""The search against comparing all pairs, in random hashes and in ones that are much alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.data.overlap import MAX_DISTANCE, _spread, compute_nearest, find_matches, find_overlapping

BITS = 256


def random_hashes(generator, count):
    return generator.integers(0, 1 << 64, (count, 4), dtype=np.uint64)


def flip(generator, hashes, counts):
    """Hashes with exactly `counts` differing bits each."""
    bits = np.unpackbits(np.ascontiguousarray(hashes).view(np.uint8), axis=1)
    for row, count in zip(bits, counts, strict=True):
        row[generator.choice(BITS, count, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def flip_run(hashes, starts, counts):
    """Hashes that differ in `counts` neighbouring bits, from `starts` on."""
    bits = np.unpackbits(np.ascontiguousarray(hashes).view(np.uint8), axis=1)
    for row, start, count in zip(bits, starts, counts, strict=True):
        row[np.arange(start, start + count) % BITS] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def check(hashes, others, max_distance=MAX_DISTANCE):
    """The search says what comparing all pairs says; returns the matches."""
    matches = find_matches(hashes, others, max_distance)
    distances, rows = compute_nearest(hashes, others)
    near = distances <= max_distance
    assert np.array_equal(matches.rows, np.where(near, rows, -1))
    assert np.array_equal(matches.distances, np.where(near, distances, -1))
    assert np.array_equal(find_overlapping(hashes, others, max_distance), near)
    return matches


@pytest.mark.parametrize("seed", range(3))
def test_planted_neighbours_at_every_distance(seed):
    generator = np.random.default_rng(seed)
    others = random_hashes(generator, 3000)
    wanted = np.arange(620) % 31
    planted = generator.permutation(3000)[:620]
    hashes = np.concatenate([flip(generator, others[planted], wanted), random_hashes(generator, 500)])
    matches = check(hashes, others)
    assert np.array_equal(matches.rows[:620], np.where(wanted <= MAX_DISTANCE, planted, -1))
    assert np.array_equal(matches.distances[:620], np.where(wanted <= MAX_DISTANCE, wanted, -1))
    assert (matches.rows[620:] == -1).all()


def test_differences_side_by_side():
    generator = np.random.default_rng(0)
    others = random_hashes(generator, 1024)
    counts = generator.integers(20, 31, 1024)
    assert (check(flip_run(others, np.arange(1024), counts), others).rows >= 0).sum() == (counts <= 26).sum()


@pytest.mark.parametrize("max_distance", [0, 3, 15, 16, 21, 26, 31, 32, 40])
def test_matches_that_only_the_last_step_finds(max_distance):
    """As many differing bits in each chunk as can go unnoticed until then: one more is too far."""
    generator = np.random.default_rng(max_distance)
    single = np.packbits(np.eye(BITS, dtype=np.uint8), axis=1).view(np.uint64)
    chunk_of_bit = (_spread(single) != 0).argmax(axis=0)
    assert np.bincount(chunk_of_bit).tolist() == [16] * 16
    others, hashes = random_hashes(generator, 4000), []
    for row in range(40):
        unnoticed, later = divmod(max_distance, 16)
        wanted = [unnoticed + (chunk < later) for chunk in range(16)]
        if row % 2:
            wanted[generator.integers(16)] += 1
        bits = np.concatenate(
            [
                generator.choice(np.flatnonzero(chunk_of_bit == chunk), count, replace=False)
                for chunk, count in enumerate(wanted)
            ]
        )
        hashes.append(np.bitwise_xor.reduce([others[row], *single[bits]]))
    matches = check(np.array(hashes), others, max_distance)
    assert matches.rows.tolist() == [-1 if row % 2 else row for row in range(40)]


@pytest.mark.parametrize("max_distance", [0, 1, 15, 16, 31, 40, 70, 130, 256])
def test_any_distance(max_distance):
    generator = np.random.default_rng(max_distance)
    others = random_hashes(generator, 1500)
    counts = np.clip(max_distance + generator.integers(-2, 3, 100), 0, BITS)
    check(flip(generator, others[:100], counts), others, max_distance)


@given(seed=st.integers(0, 1 << 32), bases=st.integers(1, 4), flips=st.integers(0, 40), size=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_much_alike(seed, bases, flips, size):
    generator = np.random.default_rng(seed)
    base = random_hashes(generator, bases)
    hashes, others = (
        flip(generator, base[generator.integers(0, bases, count)], generator.integers(0, flips + 1, count))
        for count in (generator.integers(1, 200), size)
    )
    check(hashes, others)


@pytest.mark.parametrize("noise", [0, 4, 40])
def test_blank_images_among_others(noise):
    generator = np.random.default_rng(noise)
    blank = np.zeros((600, 4), dtype=np.uint64)
    ours, theirs = (
        np.concatenate([random_hashes(generator, 900), flip(generator, blank, generator.integers(0, noise + 1, 600))])
        for _ in range(2)
    )
    matches = check(ours, theirs)
    if noise == 0:
        assert (matches.rows[900:] == 900).all()


def test_thousands_of_equal_hashes():
    blank = np.zeros((20_000, 4), dtype=np.uint64)
    matches = find_matches(blank, blank)
    assert not matches.rows.any()
    assert not matches.distances.any()


def test_views_are_searched_as_copies_are():
    generator = np.random.default_rng(5)
    hashes, others = random_hashes(generator, 600), random_hashes(generator, 2000)
    hashes[::3] = others[:200]
    strided = check(hashes[::3], others[::2])
    assert np.array_equal(strided.rows[::2], np.arange(100))
    others.flags.writeable = False
    assert (check(np.asfortranarray(hashes), others).rows >= 0).sum() == 200


@pytest.mark.parametrize(("images", "others"), [(0, 0), (0, 3), (3, 0), (1, 1), (5, 2)])
def test_few_or_none(images, others):
    generator = np.random.default_rng(0)
    matches = check(random_hashes(generator, images), random_hashes(generator, others))
    assert matches.rows.tolist() == [-1] * images
    assert matches.rows.dtype == matches.distances.dtype == np.int64
