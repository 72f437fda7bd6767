"""RSNA: rows to boxes, files to images, and what is said of a bad download."""

import csv
from collections import Counter

import numpy as np
import pytest

from lovt_core.data.annotations.shapes import Box
from lovt_core.data.images.loading import load_image
from lovt_core.data.sources.rsna import DATA_SET, IMAGES, TABLE, read_labels, scan
from lovt_core.data.split_lists import load_published
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film
from tests.core.data.images.dicom_factory import write_jpeg

HEADER = "patientId,x,y,width,height,Target"
ROWS = ("a,,,,,0", "b,1.0,2.0,30.0,14.0,1", "b,40.0,5.0,12.0,40.0,1", "c,,,,,0")


def write_download(folder, rows=ROWS, images="abc", header=HEADER):
    """A table of the given rows, and one image for each letter."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    (folder / TABLE).write_text("\n".join((header, *rows)) + "\n")
    for seed, name in enumerate(images):
        write_jpeg(folder / IMAGES / f"{name}.dcm", draw_film(seed))
    return folder


def problems_of(folder):
    return [str(problem) for problem in scan(folder).problems]


def test_boxes_of_each_patient(tmp_path):
    download = scan(write_download(tmp_path))
    assert [(item.id, item.patient, item.images) for item in download.items] == [
        (name, name, (f"stage_2_train_images/{name}.dcm",)) for name in "abc"
    ]
    assert [[each.shape for each in item.annotations] for item in download.items] == [
        [],
        [Box(1, 2, 30, 14), Box(40, 5, 12, 40)],
        [],
    ]
    assert [each.where for each in download.items[1].annotations] == [f"{TABLE}: row 3", f"{TABLE}: row 4"]
    assert download.tables == (TABLE,)
    assert download.problems == ()
    assert [(step.dropped, step.kept) for step in download.flow] == [(0, 3)] * 3
    assert read_labels(tmp_path).counts == (("rows", 4), ("patients", 3), ("patients with boxes", 1), ("boxes", 2))


def test_rest_of_the_download_is_not_read(tmp_path):
    write_download(tmp_path)
    (tmp_path / "stage_2_test_images").mkdir()
    (tmp_path / "stage_2_test_images" / "z.dcm").touch()
    for name in ("stage_2_detailed_class_info.csv", "stage_2_sample_submission.csv"):
        (tmp_path / name).write_bytes(b"\xff")
    (tmp_path / IMAGES / ".b.dcm").touch()
    (tmp_path / IMAGES / "notes.txt").touch()
    assert len(scan(tmp_path).items) == 3
    assert problems_of(tmp_path) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("b,1,2,30,fourteen,1", "the box 1 2 30 fourteen is not made of numbers"),
        ("b,1,2,0,14,1", "box 1 2 0 14 has no area: its width and height must be above 0"),
        ("b,1,2,30,-14,1", "box 1 2 30 -14 has no area: its width and height must be above 0"),
        ("b,nan,2,30,14,1", "box nan 2 30 14 has coordinates that are not finite numbers"),
        ("b,,,,,1", "Target is 1, but the box is missing or has gaps"),
        ("b,1,2,30,,1", "Target is 1, but the box is missing or has gaps"),
        ("b,1,2,30,14,0", "Target is 0, but there is a box"),
        ("b,1,2,30,14,2", "Target is 2: it is 0 or 1"),
        ("b,1,2,30,14,", "Target is empty: it is 0 or 1"),
        ("b,1,2,30,14,yes", "Target is yes: it is 0 or 1"),
    ],
)
def test_a_bad_row_is_named_and_its_image_left_out(tmp_path, row, said):
    write_download(tmp_path, (ROWS[0], row, ROWS[3]))
    assert problems_of(tmp_path) == [f"{TABLE}: row 3: {said}"]
    assert [item.id for item in scan(tmp_path).items] == ["a", "c"]
    assert [(step.what, step.dropped) for step in scan(tmp_path).flow if step.dropped] == [
        ("rows that cannot be used", 1)
    ]
    assert [str(problem) for problem in read_labels(tmp_path).problems] == problems_of(tmp_path)


def test_rows_that_contradict_or_repeat_each_other(tmp_path):
    write_download(tmp_path, (*ROWS, "a,1,2,3,4,1", "b,,,,,0", ROWS[1], ROWS[3]))
    assert problems_of(tmp_path) == [
        f"{TABLE}: row 6: Target is 1, but another row of this patient has 0",
        f"{TABLE}: row 7: Target is 0, but another row of this patient has 1",
        f"{TABLE}: row 8: the same as row 3",
        f"{TABLE}: row 9: the same as row 5",
    ]
    assert scan(tmp_path).items == ()


def test_images_and_rows_that_miss_each_other(tmp_path):
    write_download(tmp_path, images="cd")
    assert problems_of(tmp_path) == [
        f"{TABLE}: row 2: the image a.dcm is not in the folder {IMAGES}",
        f"{TABLE}: row 3: the image b.dcm is not in the folder {IMAGES}",
        f"{IMAGES}/d.dcm: no row of {TABLE} names this image",
    ]
    assert [item.id for item in scan(tmp_path).items] == ["c"]
    assert read_labels(tmp_path).ids == ("a", "b", "c")


def test_an_id_never_leads_out_of_the_download(tmp_path):
    write_download(tmp_path / "d", ("../../b,,,,,0", "..\\b,,,,,0", ",,,,,0", "..,,,,,0", ROWS[0]), images="a")
    write_jpeg(tmp_path / "b.dcm", draw_film(0))
    assert problems_of(tmp_path / "d") == [
        f"{TABLE}: row 2: the patientId ../../b is not the name of an image",
        f"{TABLE}: row 3: the patientId ..\\b is not the name of an image",
        f"{TABLE}: row 4: the patientId (nothing) is not the name of an image",
        f"{TABLE}: row 5: the image ...dcm is not in the folder {IMAGES}",
    ]
    assert [item.images for item in scan(tmp_path / "d").items] == [(f"{IMAGES}/a.dcm",)]


def test_wrong_folders_and_tables(tmp_path):
    with pytest.raises(DataError, match="absent does not exist"):
        scan(tmp_path / "absent")
    write_download(tmp_path / "d")
    with pytest.raises(DataError, match=r"no stage_2_train_labels.csv and no stage_2_train_images there.*did you mean"):
        scan(tmp_path)
    (tmp_path / "d" / TABLE).write_text("patientId,x,y,width,Target\na,,,,0\n")
    with pytest.raises(DataError, match="row 1: no column height; found: patientid, x, y, width, target"):
        scan(tmp_path / "d")
    (tmp_path / "d" / TABLE).write_bytes(f"{HEADER}\n\xe9,,,,,0\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8 text"):
        read_labels(tmp_path / "d")
    (tmp_path / "d" / TABLE).unlink()
    with pytest.raises(DataError, match=r"no stage_2_train_labels.csv there(.|\n)*<patientId>.dcm"):
        read_labels(tmp_path / "d")


def test_damaged_images_are_named_when_decoded(tmp_path):
    write_download(tmp_path)
    (tmp_path / IMAGES / "a.dcm").write_bytes(b"")
    (tmp_path / IMAGES / "b.dcm").write_bytes((tmp_path / IMAGES / "b.dcm").read_bytes()[:-900])
    items = scan(tmp_path).items
    with pytest.raises(DataError, match=r"a\.dcm: the file is empty"):
        load_image(tmp_path / items[0].images[0])
    with pytest.raises(DataError, match=r"b\.dcm: a DICOM file that is cut off"):
        load_image(tmp_path / items[1].images[0])


def test_the_box_lies_on_what_it_marks(tmp_path):
    """A bright bar, wider than high, in the upper left of a film that is wider than high."""
    film = np.full((60, 90), 40, dtype=np.uint8)
    film[8:16, 4:36] = 240
    (tmp_path / IMAGES).mkdir()
    write_jpeg(tmp_path / IMAGES / "bar.dcm", film)
    write_download(tmp_path, ("bar,4.0,8.0,32.0,8.0,1",), images="")
    (item,) = scan(tmp_path).items
    (box,) = [each.shape for each in item.annotations]
    bright = np.argwhere(np.asarray(load_image(tmp_path / item.images[0])) > 140)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0)
    assert box == Box(left, top, right + 1 - left, bottom + 1 - top) == Box(4, 8, 32, 8)


def test_real_labels(data_folder):
    labels = read_labels(data_folder / "rsna")
    with (data_folder / "rsna" / TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    targets = Counter(row["Target"] for row in rows)
    positive = {row["patientId"] for row in rows if row["Target"] == "1"}
    assert dict(labels.counts) == {
        "rows": len(rows),
        "patients": len({row["patientId"] for row in rows}),
        "patients with boxes": len(positive),
        "boxes": targets["1"],
    }
    assert dict(labels.counts) == {"rows": 30227, "patients": 26684, "patients with boxes": 6012, "boxes": 9555}
    assert labels.problems == ()


def test_real_ids_are_those_of_the_published_lists(data_folder):
    ids = read_labels(data_folder / "rsna").ids
    assert len(ids) == len(set(ids))
    assert set(ids) == load_published(DATA_SET.name).ids


def test_real_boxes_are_those_of_the_published_lists(data_folder, tmp_path):
    """A full download of empty files: scanning decodes nothing."""
    (tmp_path / TABLE).write_bytes((data_folder / "rsna" / TABLE).read_bytes())
    (tmp_path / IMAGES).mkdir()
    published = {}
    for part in ("train", "validation", "test"):
        with (data_folder / "splits" / "rsna" / f"{part}.csv").open(newline="") as file:
            published |= {row["ID"]: row["boxes"] for row in csv.DictReader(file)}
    names = sorted(published)[:1000]
    for name in names:
        (tmp_path / IMAGES / f"{name}.dcm").touch()
    items = scan(tmp_path).items
    assert sorted(item.id for item in items) == names
    for item in items:
        boxes = [(each.shape.left, each.shape.top, each.shape.width, each.shape.height) for each in item.annotations]
        texts = [text for text in published[item.id].split("|") if text]
        assert sorted(boxes) == sorted(tuple(map(float, text.split(";"))) for text in texts)
