import numpy as np
import pytest
from PIL import Image, ImageOps

from lovt_core.data.hashing import compute_hash
from lovt_core.data.overlap import MAX_DISTANCE, compute_nearest, find_overlapping
from tests.core.data.factories import draw_film

FILMS = [draw_film(seed, 200, 240) for seed in range(40)]


def hashes(films):
    return np.array([compute_hash(film) for film in films], dtype=np.uint64)


def bits(one, other):
    return (one ^ other).bit_count()


@pytest.mark.parametrize(
    "change",
    [
        lambda film: np.asarray(Image.fromarray(film).resize((120, 100), Image.Resampling.BILINEAR)),
        lambda film: (255 * (film / 255) ** 0.6).astype(np.uint8),
        lambda film: (film * 0.7 + 20).astype(np.uint8),
        lambda film: np.asarray(ImageOps.equalize(Image.fromarray(film))),
        lambda film: np.clip(film + np.random.default_rng(0).normal(0, 4, film.shape), 0, 255).astype(np.uint8),
    ],
    ids=["half the size", "gamma", "window", "equalised", "noise"],
)
def test_the_same_film_is_recognised(change):
    distances = [bits(compute_hash(film), compute_hash(change(film))) for film in FILMS]
    assert np.mean(np.array(distances) <= MAX_DISTANCE) >= 0.95


def test_different_films_are_far_apart():
    found = hashes(FILMS)
    distances = np.bitwise_count(found[:, None] ^ found[None, :])[np.triu_indices(len(found), 1)]
    assert distances.min() > MAX_DISTANCE
    assert 24 < distances.mean() < 40


def test_hash_is_stable():
    assert compute_hash(draw_film(5)) == compute_hash(draw_film(5).copy())
    assert compute_hash(np.zeros((4, 4), dtype=np.uint8)) == 0
    assert 0 <= compute_hash(draw_film(1, 1, 30)) < 2**64


def test_overlap_finds_exactly_the_shared_films():
    ours, theirs = hashes(FILMS[:25]), hashes(FILMS[18:])
    assert np.flatnonzero(find_overlapping(ours, theirs)).tolist() == list(range(18, 25))
    distances, rows = compute_nearest(ours, theirs)
    assert rows[18:].tolist() == list(range(7))
    assert not distances[18:].any()


def test_threshold_counts_bits():
    ours, theirs = np.array([0b1111111], dtype=np.uint64), np.array([0], dtype=np.uint64)
    assert not find_overlapping(ours, theirs, 6).any()
    assert find_overlapping(ours, theirs, 7).all()


def test_nothing_to_compare_with():
    distances, rows = compute_nearest(hashes(FILMS[:2]), np.array([], dtype=np.uint64))
    assert distances.tolist() == [65, 65]
    assert rows.tolist() == [-1, -1]
    assert not find_overlapping(np.array([], dtype=np.uint64), hashes(FILMS[:2])).size
