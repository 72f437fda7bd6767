"""The prepared format: what is written is read back, and damage is named."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.checksums import verify
from lovt_core.data.images.equalisation import GREY_VALUES, equalise
from lovt_core.data.images.hashing import compute_hash
from lovt_core.data.images.loading import load_grey, load_mask
from lovt_core.data.images.transforms import EvaluationFrame, ShortSideFrame
from lovt_core.data.prepared import PreparedData, open_prepared
from lovt_core.data.reports.text import split_sentences
from lovt_core.errors import DataError
from tests.core.data.factories import NOTE, prepare_quietly, rural_stem, write_chestxray


def test_pairs_are_read_as_they_were_written(paired, tmp_path):
    assert [sample.id for sample in paired.samples] == [f"film-{number}.png" for number in range(6)]
    assert [sample.patient for sample in paired.samples] == ["p0", "p0", "p1", "p1", "p2", "p2"]
    for row, sample in enumerate(paired.samples):
        film = load_grey(tmp_path / "chestxray" / "images" / sample.id)
        assert sample.images == (row,)
        assert sample.sentences == split_sentences(f"{NOTE} Film {row}.")
        assert np.array_equal(paired.image(row), ShortSideFrame(*film.shape, 32).apply_to_image(film))
        assert np.array_equal(paired.hashes[row], compute_hash(film))
        assert paired.statistics[row] == pytest.approx([(film / 255).mean(), (film / 255).var()])


def test_masks_and_images_go_through_the_same_frame(localized, tmp_path):
    assert localized.num_classes == 1
    for row, sample in enumerate(localized.samples):
        mask = load_mask(tmp_path / "rural" / "pngs_masks" / f"{sample.id}.png")
        frame = EvaluationFrame(*mask.shape, 32)
        assert sample.id == rural_stem(row)
        assert sample.sentences == ()
        assert np.array_equal(localized.mask(row)[0], frame.apply_to_mask(mask))
        assert localized.image(row).shape == (32, 32)
        lit = localized.image(row)[localized.mask(row)[0] == 1]
        assert lit.mean() > localized.image(row).mean() + 20


def test_rural_images_are_equalised_and_stored_as_jpeg_again(localized, tmp_path):
    film = load_grey(tmp_path / "rural" / "jpgs" / f"{rural_stem(0)}.jpg")
    equalised = equalise(film, GREY_VALUES).values
    Image.fromarray(equalised).save(tmp_path / "again.jpg")
    expected = EvaluationFrame(*film.shape, 32).apply_to_image(np.asarray(Image.open(tmp_path / "again.jpg")))
    assert np.array_equal(localized.image(0), expected)


def test_views_are_read_only_and_survive_a_second_process(localized):
    for array in (localized.image(0), localized.hashes, localized.statistics, *localized.boxes(0)):
        assert not array.flags.writeable
    copy = pickle.loads(pickle.dumps(localized))
    assert np.array_equal(copy.image(3), localized.image(3))
    assert len(pickle.dumps(localized)) < 1000


def test_images_of_different_shapes_lie_side_by_side(tmp_path, root):
    source = write_chestxray(tmp_path / "download", 3)
    for number, size in enumerate([(1, 90), (200, 40), (33, 33)]):
        Image.new("L", size, 40 + number).save(source / "images" / f"film-{number}.png")
    data = prepare_quietly("covid-chestxray", source, root)
    assert [data.image(row).shape for row in range(3)] == [(90, 1), (32, 160), (32, 32)]
    assert [int(np.unique(data.image(row)).item()) for row in range(3)] == [40, 41, 42]


def test_paired_data_has_no_masks(paired):
    with pytest.raises(DataError, match="covid-chestxray is paired with reports: it has no masks"):
        paired.mask(0)


def test_prepared_files_are_private(localized):
    assert all(path.stat().st_mode & 0o077 == 0 for path in (localized.path, *localized.path.iterdir()))


def read_everything(path):
    data = PreparedData(path)
    assert len(data.samples) * len(data.hashes) * len(data.statistics)


@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed"])
@pytest.mark.parametrize(
    "name", ["images.bin", "images.npy", "masks.bin", "samples.jsonl", "hashes.npy", "statistics.npy", "meta.json"]
)
def test_damaged_files_are_named_when_read(localized, name, damage):
    path = localized.path / name
    match damage:
        case "truncated":
            path.write_bytes(path.read_bytes()[:-1] if name.endswith(".bin") else path.read_bytes()[:40])
        case "emptied":
            path.write_bytes(b"")
        case "removed":
            path.unlink()
    with pytest.raises(DataError) as caught:
        read_everything(localized.path)
    assert name in str(caught.value)
    assert "prepare" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["images.bin", "images.npy", "masks.bin", "samples.jsonl", "hashes.npy", "statistics.npy", "meta.json"]
)
def test_one_changed_byte_is_found(localized, name):
    assert verify(localized.path) == ()
    content = bytearray((localized.path / name).read_bytes())
    content[-2] ^= 1
    (localized.path / name).write_bytes(content)
    assert [str(problem) for problem in verify(localized.path)] == [
        f"{name}: the content has changed since it was prepared"
    ]


def test_damaged_list_of_checksums_is_found(localized):
    (localized.path / "checksums.json").write_text("[]")
    assert "checksums.json" in str(verify(localized.path)[0])
    (localized.path / "checksums.json").unlink()
    assert "checksums.json" in str(verify(localized.path)[0])


def test_sample_lines_that_are_missing(localized):
    path = localized.path / "samples.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:4]))
    with pytest.raises(DataError, match=r"samples\.jsonl holds 4 of 6 samples"):
        _ = localized.samples


def test_other_format_is_refused(localized):
    meta = json.loads((localized.path / "meta.json").read_text())
    (localized.path / "meta.json").write_text(json.dumps(meta | {"format": 99}))
    with pytest.raises(DataError, match="has format 99, this version reads 3; prepare the data set again"):
        PreparedData(localized.path)


def test_meta_of_a_later_version_may_say_more(localized):
    meta = json.loads((localized.path / "meta.json").read_text())
    (localized.path / "meta.json").write_text(json.dumps(meta | {"mood": "good"}))
    assert PreparedData(localized.path).meta == localized.meta


def test_opening_by_size_and_fingerprint(localized, root, tmp_path):
    assert open_prepared(root, "covid-rural").path == localized.path
    assert open_prepared(root, "covid-rural", 32).path == localized.path
    larger = prepare_quietly("covid-rural", tmp_path / "rural", root, size=64)
    assert open_prepared(root, "covid-rural", 64).path == larger.path
    assert open_prepared(root, "covid-rural", fingerprint=localized.fingerprint).path == localized.path
    assert open_prepared(root, "covid-rural", fingerprint=larger.fingerprint[:8]).path == larger.path
    with pytest.raises(DataError, match=r"is prepared at size 32, 64 in .*, not at 48; run: lovt data prepare"):
        open_prepared(root, "covid-rural", 48)
    with pytest.raises(DataError, match="no prepared version of covid-rural has a fingerprint beginning with 'ffff'"):
        open_prepared(root, "covid-rural", fingerprint="ffff")


def test_nothing_prepared_names_the_command(root):
    with pytest.raises(
        DataError, match=r"covid-rural is not prepared in .*; run: lovt data prepare covid-rural --source DIR"
    ):
        open_prepared(root, "covid-rural")
    with pytest.raises(DataError, match="unknown data set 'covid': known data sets are mimic-cxr, openi, "):
        open_prepared(root, "covid")
