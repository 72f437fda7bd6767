"""Identity of prepared data, preparing again, and what is left out."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.checksums import verify
from lovt_core.data.preparation.describe import SYNTHETIC_MARKER
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.versions import find_versions, load_current
from lovt_core.errors import DataError, InputError
from tests.core.data.factories import note_row, prepare_quietly, rural_stem, write_chestxray, write_rural, write_table

TINY = {
    "covid-chestxray": lambda folder: write_chestxray(folder, 20),
    "covid-rural": lambda folder: write_rural(folder, 20),
}


@pytest.mark.parametrize("name", TINY)
def test_workers_and_place_do_not_change_the_content(tmp_path, root, name):
    one = prepare_quietly(name, TINY[name](tmp_path / "one"), root)
    seen = []
    other = prepare(name, TINY[name](tmp_path / "two"), root / "other", PrepareOptions(size=32, workers=2), seen.append)
    assert one.fingerprint == other.fingerprint
    assert [progress.done for progress in seen] == list(range(1, 21))
    assert verify(one.path) == verify(other.path) == ()


def test_order_of_the_table_does_not_change_the_content(tmp_path, root):
    rows = [note_row(number) for number in range(6)]
    source = write_chestxray(tmp_path / "download", rows)
    first = prepare_quietly("covid-chestxray", source, root)
    write_table(source / "metadata.csv", rows[::-1])
    assert prepare_quietly("covid-chestxray", source, root).path == first.path
    assert len(find_versions(root, "covid-chestxray")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"clinical notes": "Another note of the film."},
        {"Patientid": "p9"},
        {"filename": "film-9.png"},
        {"view": "L"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_content_is_another_version(tmp_path, root, change):
    rows = [note_row(number) for number in range(4)]
    source = write_chestxray(tmp_path / "download", rows)
    first = prepare_quietly("covid-chestxray", source, root)
    write_chestxray(source, [*rows[:3], rows[3] | change])
    second = prepare_quietly("covid-chestxray", source, root)
    assert second.fingerprint != first.fingerprint
    assert open_prepared(root, "covid-chestxray", 32).path == second.path
    assert open_prepared(root, "covid-chestxray", fingerprint=first.fingerprint).path == first.path


def test_one_pixel_is_another_version(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 3)
    first = prepare_quietly("covid-chestxray", source, root, size=100)
    path = source / "images" / "film-1.png"
    pixels = np.array(Image.open(path))
    pixels[3, 4] ^= 1
    Image.fromarray(pixels).save(path)
    assert prepare_quietly("covid-chestxray", source, root, size=100).fingerprint != first.fingerprint


def test_preparing_again_decodes_nothing(tmp_path, root):
    source = write_rural(tmp_path / "download")
    first = prepare_quietly("covid-rural", source, root)
    states = {path: path.stat().st_mtime_ns for path in first.path.iterdir()}
    seen = []
    again = prepare("covid-rural", source, root, PrepareOptions(size=32), seen.append)
    assert (again.path, seen) == (first.path, [])
    assert {path: path.stat().st_mtime_ns for path in first.path.iterdir()} == states


def test_damaged_version_is_prepared_anew(tmp_path, root):
    source = write_rural(tmp_path / "download")
    first = prepare_quietly("covid-rural", source, root)
    (first.path / "images.bin").write_bytes(b"\0" * (first.path / "images.bin").stat().st_size)
    again = prepare_quietly("covid-rural", source, root)
    assert again.fingerprint == first.fingerprint
    assert verify(again.path) == ()
    assert again.image(0).any()


def test_damaged_list_of_current_versions_is_repaired(tmp_path, root):
    source = write_rural(tmp_path / "download")
    small = prepare_quietly("covid-rural", source, root)
    large = prepare_quietly("covid-rural", source, root, size=64)
    (root / "covid-rural" / "current.json").write_text('{"32": "32-')
    with pytest.raises(DataError, match=r"cannot read .*current\.json .*prepare covid-rural again"):
        open_prepared(root, "covid-rural", 32)
    prepare_quietly("covid-rural", source, root)
    assert load_current(root, "covid-rural") == {32: small.path.name, 64: large.path.name}


def test_unreadable_files_are_refused_and_all_named(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 6)
    (source / "images" / "film-2.png").write_bytes(b"no image")
    (source / "images" / "film-4.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        prepare_quietly("covid-chestxray", source, root)
    assert str(caught.value).splitlines() == [
        "covid-chestxray: 2 files or rows of the download cannot be used:",
        "  images/film-2.png: not an image of a known format",
        "  images/film-4.png: the file is empty",
        "repair them, or leave them out with --skip-bad",
    ]
    assert find_versions(root, "covid-chestxray") == []


def test_skip_bad_lists_what_it_leaves_out(tmp_path, root):
    rows = [note_row(number) for number in range(6)]
    source = write_chestxray(tmp_path / "download", rows)
    (source / "images" / "film-2.png").write_bytes(b"no image")
    (source / "images" / "film-5.png").unlink()
    with pytest.raises(DataError, match=r"row 7: the image film-5\.png is not in the folder images"):
        prepare_quietly("covid-chestxray", source, root)
    data = prepare_quietly("covid-chestxray", source, root, skip_bad=True)
    assert [sample.id for sample in data.samples] == ["film-0.png", "film-1.png", "film-3.png", "film-4.png"]
    assert [problem.where for problem in data.meta.skipped] == ["metadata.csv: row 7", "images/film-2.png"]
    assert (data.meta.flow[-1].what, data.meta.flow[-1].dropped) == ("image or annotation unusable", 1)
    with pytest.raises(DataError, match="cannot be used"):  # a version with gaps is no excuse
        prepare_quietly("covid-chestxray", source, root)


def test_the_same_content_with_other_gaps_tells_its_own_gaps(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 4)
    whole = prepare_quietly("covid-chestxray", source, root)
    write_table(source / "metadata.csv", [note_row(number) for number in range(5)])
    gappy = prepare_quietly("covid-chestxray", source, root, skip_bad=True)
    assert gappy.path == whole.path
    assert [problem.where for problem in gappy.meta.skipped] == ["metadata.csv: row 6"]
    assert verify(gappy.path) == ()
    assert prepare_quietly("covid-chestxray", source, root, skip_bad=True).meta == gappy.meta


def test_mask_of_another_size(tmp_path, root):
    source = write_rural(tmp_path / "download", 3)
    Image.new("L", (30, 20)).save(source / "pngs_masks" / f"{rural_stem(1)}.png")
    with pytest.raises(DataError) as caught:
        prepare_quietly("covid-rural", source, root)
    assert str(caught.value).splitlines()[1] == (
        f"  pngs_masks/{rural_stem(1)}.png: the mask has 30 x 20 pixels, its image 72 x 60: they must be equal"
    )
    assert len(prepare_quietly("covid-rural", source, root, skip_bad=True).samples) == 2


def test_nothing_usable_tells_where_it_went(tmp_path, root):
    rows = [note_row(number, **{"clinical notes": note}) for number, note in enumerate(("", "pneumonia"))]
    source = write_chestxray(tmp_path / "download", rows)
    with pytest.raises(DataError) as caught:
        prepare_quietly("covid-chestxray", source, root)
    assert "holds no sample that can be used" in str(caught.value)
    assert "0 left after dropping 2: clinical note shorter than 3 tokens" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_strip_that_no_square_can_hold(tmp_path, root):
    source = write_rural(tmp_path / "download", 2)
    for folder, suffix in (("jpgs", "jpg"), ("pngs_masks", "png")):
        Image.new("L", (1, 20_000)).save(source / folder / f"{rural_stem(0)}.{suffix}")
    with pytest.raises(DataError, match="1 x 20000 pixels are too many to be padded to a square"):
        prepare_quietly("covid-rural", source, root)


def test_many_problems_are_counted(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 30)
    for path in (source / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="30 files or rows") as caught:
        prepare_quietly("covid-chestxray", source, root)
    assert "and 10 more" in str(caught.value)


def test_marker_makes_data_synthetic_whatever_was_there_before(tmp_path, root):
    source = write_chestxray(tmp_path / "download")
    assert prepare_quietly("covid-chestxray", source, root).meta.genuine
    (source / SYNTHETIC_MARKER).write_text("{}")
    meta = prepare_quietly("covid-chestxray", source, root).meta
    assert meta.synthetic
    assert not meta.genuine


def test_other_images_in_the_layout_are_not_genuine(localized):
    assert not localized.meta.synthetic
    assert not localized.meta.genuine


def test_published_ids_are_genuine(tmp_path, root, data_folder, monkeypatch):
    """All 221 names of the published lists on drawn images: only then the set counts as COVID Rural."""
    lists = [data_folder / "splits" / "covid_rural" / f"{part}.csv" for part in ("train", "validation", "test")]
    ids = [line.split(",")[0].strip('"') for path in lists for line in path.read_text().splitlines()[1:]]
    assert len(ids) == 221
    source = write_rural(tmp_path / "download", 1)
    for folder, suffix in (("jpgs", "jpg"), ("pngs_masks", "png")):
        original = source / folder / f"{rural_stem(0)}.{suffix}"
        for name in ids:
            os.link(original, source / folder / f"{name.removesuffix('.jpg')}.{suffix}")
        original.unlink()
    assert prepare_quietly("covid-rural", source, root).meta.genuine
    (source / "jpgs" / f"{ids[0].removesuffix('.jpg')}.jpg").unlink()
    assert not prepare_quietly("covid-rural", source, root, skip_bad=True).meta.genuine


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 7}, "size 7 is too small: at least 8 pixels are needed"),
        ({"size": 5000}, "size 5000 is too large: at most 4096 pixels are kept"),
        ({"workers": 0}, "0 workers cannot work: at least 1 is needed"),
    ],
)
def test_options_out_of_range(tmp_path, root, options, message):
    with pytest.raises(InputError, match=message):
        prepare_quietly("covid-rural", tmp_path, root, **options)
    assert not root.exists()


def test_older_versions_stay_readable_while_they_are_open(tmp_path, root):
    source = write_rural(tmp_path / "download")
    before = prepare_quietly("covid-rural", source, root)
    pixels = before.image(0).copy()
    write_rural(source, 2, first=6)
    after = prepare_quietly("covid-rural", source, root)
    assert after.path != before.path
    assert np.array_equal(PreparedData(before.path).image(0), pixels)
    shutil.rmtree(before.path)
    assert np.array_equal(before.image(0), pixels)


def test_a_file_that_changes_while_it_is_prepared_is_prepared_again(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 4)

    def change(progress):
        if progress.done == progress.total:
            Image.new("L", (50, 50), 99).save(source / "images" / "film-0.png")

    before = prepare("covid-chestxray", source, root, PrepareOptions(size=32, workers=1), change)
    after = prepare_quietly("covid-chestxray", source, root)
    assert after.path != before.path
    assert (after.image(0) == 99).all()
