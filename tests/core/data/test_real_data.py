"""The real folders: what is found in them, and which films they share."""

import csv

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.checksums import verify
from lovt_core.data.images.hashing import compute_hash
from lovt_core.data.images.loading import load_grey
from lovt_core.data.overlap import MAX_DISTANCE, compute_nearest
from lovt_core.data.shared_films import count_shared_films
from lovt_core.data.splits import build_split
from tests.core.data.factories import prepare_quietly


@pytest.fixture(scope="module")
def real(data_folder, tmp_path_factory):
    """Both sets, prepared at their own sizes."""
    root = tmp_path_factory.mktemp("prepared")
    sources = {"covid-chestxray": "covid_chestxray", "covid-rural": "lungs_covid_rural_layout"}
    prepared = {
        name: prepare_quietly(name, data_folder / folder, root, size=None, workers=None)
        for name, folder in sources.items()
    }
    return prepared, root


def test_pairs(real):
    data = real[0]["covid-chestxray"]
    assert (data.num_images, data.meta.num_patients, data.meta.num_sentences) == (75, 49, 301)
    assert {step.what: step.dropped for step in data.meta.flow if step.dropped} == {"not a frontal view (PA, AP)": 4}
    assert all(min(data.image(row).shape) <= 320 for row in range(75))
    assert all(sample.sentences for sample in data.samples)
    assert verify(data.path) == ()
    split = build_split(data, "patient:0")
    assert (len(split.train), len(split.validation), len(split.test)) == (59, 16, 0)


def test_masks(real):
    data = real[0]["covid-rural"]
    assert (data.num_images, data.meta.num_patients, data.meta.genuine) == (76, 45, False)
    lungs = [data.mask(row).mean() for row in range(76)]
    assert sum(share == 0 for share in lungs) == 15  # as in the files
    assert all(0.02 < share < 0.6 for share in lungs if share)
    assert verify(data.path) == ()


def test_films_shared_by_the_prepared_sets(real):
    """59: the paired set keeps frontal views, and three of the 62 shared films are lateral."""
    prepared, root = real
    (films,) = count_shared_films(prepared["covid-rural"], root)
    assert (films.images, films.of, films.others, films.of_others) == (59, 76, 59, 75)


def test_hashes_find_the_films_that_thumbnails_find(data_folder):
    """62 of 76, as found by correlation of thumbnails above 0.995: neither more nor fewer, at any sensible distance."""
    paired = sorted((data_folder / "covid_chestxray" / "images").iterdir())
    masked = sorted((data_folder / "lungs_covid_rural_layout" / "jpgs").iterdir())
    films = {path: load_grey(path) for path in (*paired, *masked)}
    ours, theirs = ([compute_hash(films[path]) for path in paths] for paths in (masked, paired))
    distances, _ = compute_nearest(np.array(ours), np.array(theirs))
    correlation = np.array([thumbnail(films[path]) for path in masked]) @ np.transpose(
        [thumbnail(films[path]) for path in paired]
    )
    shared = correlation.max(axis=1) > 0.995
    assert shared.sum() == 62
    assert np.array_equal(distances <= MAX_DISTANCE, shared)
    assert distances[shared].max() <= 5
    views = read_views(data_folder / "covid_chestxray" / "metadata.csv")
    lateral = [views[paired[column].name] == "L" for column in correlation.argmax(axis=1)[shared]]
    assert sum(lateral) == 3


def thumbnail(film):
    small = np.asarray(Image.fromarray(film).resize((32, 32), Image.Resampling.BOX)).astype(float).ravel()
    small -= small.mean()
    return small / np.linalg.norm(small)


def read_views(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["filename"]: row["view"] for row in csv.DictReader(file)}
