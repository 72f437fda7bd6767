import numpy as np
import pytest
from PIL import Image, ImageOps

from lovt_core.data.images.hashing import compute_hash
from lovt_core.data.overlap import MAX_DISTANCE, compute_nearest, find_overlapping
from tests.core.data.factories import draw_film

FILMS = [draw_film(seed, 200, 240) for seed in range(40)]


def hashes(films):
    return np.array([compute_hash(film) for film in films])


def bits(one, other):
    return int(np.bitwise_count(one ^ other).sum())


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
    distances = np.bitwise_count(found[:, None] ^ found[None, :]).sum(axis=2)[np.triu_indices(len(found), 1)]
    assert distances.min() > MAX_DISTANCE
    assert 96 < distances.mean() < 144


def test_hash_is_stable():
    assert np.array_equal(compute_hash(draw_film(5)), compute_hash(draw_film(5).copy()))
    assert not compute_hash(np.zeros((4, 4), dtype=np.uint8)).any()
    assert compute_hash(draw_film(1, 1, 30)).shape == (4,)


def test_overlap_finds_exactly_the_shared_films():
    ours, theirs = hashes(FILMS[:25]), hashes(FILMS[18:])
    assert np.flatnonzero(find_overlapping(ours, theirs)).tolist() == list(range(18, 25))
    distances, rows = compute_nearest(ours, theirs)
    assert rows[18:].tolist() == list(range(7))
    assert not distances[18:].any()


def test_threshold_counts_bits():
    ours = np.array([[0b1111, 0, 0, 0b111]], dtype=np.uint64)
    theirs = np.zeros((1, 4), dtype=np.uint64)
    assert not find_overlapping(ours, theirs, 6).any()
    assert find_overlapping(ours, theirs, 7).all()


def test_nothing_to_compare_with():
    distances, rows = compute_nearest(hashes(FILMS[:2]), np.zeros((0, 4), dtype=np.uint64))
    assert distances.tolist() == [257, 257]
    assert rows.tolist() == [-1, -1]
    assert not find_overlapping(np.zeros((0, 4), dtype=np.uint64), hashes(FILMS[:2])).size
