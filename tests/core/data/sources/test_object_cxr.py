"""Object-CXR downloads: what is read, what is refused, and that boxes and masks lie where the objects are."""

import csv
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lovt_core.data.annotations.rasterise import find_boxes, rasterise
from lovt_core.data.annotations.shapes import Annotation, Box, Ellipse, Polygon
from lovt_core.data.images.loading import load_grey
from lovt_core.data.sources.object_cxr import DATA_SET, AnnotationError, parse_annotation, read_labels, scan
from lovt_core.errors import DataError

TRAIN = {"00001.jpg": "", "00002.jpg": "0 10 5 40 25;1 20 10 70 50", "00003.jpg": "2 10 5 60 8 70 40 30 50"}
DEV = {"08001.jpg": "1 30 5 60 30"}


def write(folder, train=TRAIN, dev=DEV, images=None):
    """A download in the original layout; every named image is drawn unless `images` says which are."""
    for part, rows in (("train", train), ("dev", dev)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        lines = ["image_name,annotation", *(f"{name},{annotation}" for name, annotation in rows.items())]
        (folder / f"{part}.csv").write_text("\n".join(lines) + "\n")
        for name in rows if images is None else images.get(part, ()):
            Image.new("L", (90, 60)).save(folder / part / name)
    return folder


def complaints(download):
    return [str(problem) for problem in download.problems]


def test_a_download(tmp_path):
    download = scan(write(tmp_path))
    assert [(item.id, item.patient, item.images, item.split) for item in download.items] == [
        ("00001", "00001", ("train/00001.jpg",), "train"),
        ("00002", "00002", ("train/00002.jpg",), "train"),
        ("00003", "00003", ("train/00003.jpg",), "train"),
        ("08001", "08001", ("dev/08001.jpg",), "test"),
    ]
    assert download.items[0].annotations == ()
    assert download.items[1].annotations == (
        Annotation(Box(10, 5, 30, 20), "train.csv: row 3"),
        Annotation(Ellipse(20, 10, 50, 40), "train.csv: row 3"),
    )
    assert download.items[2].annotations[0].shape == Polygon(((10, 5), (60, 8), (70, 40), (30, 50)))
    assert (download.tables, download.problems) == (("train.csv", "dev.csv"), ())
    assert [(step.dropped, step.kept) for step in download.flow] == [(0, 4), (0, 4), (0, 4)]


def test_labels_without_images(tmp_path):
    write(tmp_path, images={})
    labels = read_labels(tmp_path)
    assert dict(labels.counts) == {
        "images in train.csv": 3,
        "images in dev.csv": 1,
        "images with objects": 3,
        "objects": 4,
        "boxes": 1,
        "ellipses": 2,
        "polygons": 1,
    }
    assert labels.ids == ("00001", "00002", "00003", "08001")
    assert labels.problems == ()


def test_protocol():
    assert (DATA_SET.name, DATA_SET.classes, DATA_SET.grey) == ("object-cxr", ("foreign object",), "luma")
    assert DATA_SET.equalised
    assert DATA_SET.jpeg_round_trip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("3 1 2 3 4", "unknown shape '3': 0 is a box, 1 an ellipse, 2 a polygon"),
        ("box 1 2 3 4", "unknown shape 'box': 0 is a box, 1 an ellipse, 2 a polygon|a coordinate is not a number"),
        ("0 1 2 3", "a box has the 4 coordinates x1 y1 x2 y2, this one has 3"),
        ("1 1 2 3 4 5", "an ellipse has the 4 coordinates x1 y1 x2 y2, this one has 5"),
        ("2 1 2 3 4 5 6 7", "a polygon has pairs of coordinates, this one has 7 coordinates"),
        ("2 1 2 3 4", "a polygon has at least 3 points, this one has 2"),
        ("0 1 2 x 4", "a coordinate is not a number"),
        ("0 1 2 nan 4", "box 1 2 nan 2 has coordinates that are not finite numbers"),
        ("0 9 2 3 4", "box 9 2 -6 2 has no area"),
        ("1 1 2 3 2", "ellipse 1 2 2 0 has no area"),
        ("0 1 2 3 4;0", "a box has the 4 coordinates"),
        ("2 1 2 9 2 5 2", "polygon around 1 2 8 0 has no area"),
    ],
)
def test_annotations_that_cannot_be_read(tmp_path, text, what):
    with pytest.raises(AnnotationError, match=what.split(":")[0]):
        parse_annotation(text, "here")
    write(tmp_path, TRAIN | {"00002.jpg": text})
    for problems in (scan(tmp_path).problems, read_labels(tmp_path).problems):
        assert len(problems) == 1
        assert problems[0].where == "train.csv: row 3"
        assert any(problems[0].what.startswith(each) for each in what.split("|"))
    assert [item.id for item in scan(tmp_path).items] == ["00001", "00003", "08001"]


def test_a_closing_semicolon_is_no_object():
    assert [each.shape for each in parse_annotation(" 0 1 2 3 4 ; ", "here")] == [Box(1, 2, 2, 2)]


def test_images_without_row_and_rows_without_image(tmp_path):
    write(tmp_path, images={"train": ["00001.jpg", "00003.jpg", "00009.jpg"], "dev": []})
    (tmp_path / "train" / "Thumbs.db").touch()
    (tmp_path / "train" / "._00002.jpg").touch()
    download = scan(tmp_path)
    assert complaints(download) == [
        "train.csv: row 3: the image 00002.jpg is not in the folder train",
        "dev.csv: row 2: the image 08001.jpg is not in the folder dev",
        "train/00009.jpg: no row in train.csv: whether objects are on it is unknown",
    ]
    assert [item.id for item in download.items] == ["00001", "00003"]
    assert download.flow[1].dropped == 2


@pytest.mark.parametrize("name", ["../outside.jpg", "../dev/08001.jpg", "/etc/passwd", "", "08001.jpg"])
def test_names_that_are_not_in_the_folder_of_the_part(tmp_path, name):
    Image.new("L", (9, 9)).save(tmp_path / "outside.jpg")
    write(tmp_path / "d", {**TRAIN, name: "0 1 1 5 5"}, images={"train": TRAIN, "dev": DEV})
    download = scan(tmp_path / "d")
    assert complaints(download) == [
        f"train.csv: row 5: the image {name or '(nothing)'} is not in the folder train",
    ]
    assert len(download.items) == 4


def test_repeated_names(tmp_path):
    write(tmp_path)
    with (tmp_path / "train.csv").open("a") as table:
        table.write("00001.jpg,0 1 1 5 5\n")
    Image.new("L", (90, 60)).save(tmp_path / "dev" / "00003.jpg")
    with (tmp_path / "dev.csv").open("a") as table:
        table.write("00003.jpg,\n")
    download = scan(tmp_path)
    assert complaints(download) == [
        "train/00001.jpg: the id 00001 occurs 2 times: name it once",
        "dev/00003.jpg: the id 00003 occurs 2 times: name it once",
    ]
    assert len(download.items) == 4


def test_archives_unpacked_a_folder_too_deep(tmp_path):
    write(tmp_path)
    (tmp_path / "train").rename(tmp_path / "inner")
    (tmp_path / "train").mkdir()
    (tmp_path / "inner").rename(tmp_path / "train" / "train")
    download = scan(tmp_path)
    assert download.problems == ()
    assert download.items[0].images == ("train/train/00001.jpg",)


@pytest.mark.parametrize("missing", ["train.csv", "dev.csv", "train", "dev"])
def test_a_partial_download_is_told_what_is_missing(tmp_path, missing):
    write(tmp_path)
    (tmp_path / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError) as caught:
        scan(tmp_path)
    assert f"no {missing} there, but" in str(caught.value)
    assert all(line in str(caught.value) for line in DATA_SET.documented_layout)


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "metadata.csv").touch()
    for read in (scan, read_labels):
        with pytest.raises(DataError, match=r"no train\.csv and no dev\.csv"):
            read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"image_name,annotation\n00001.jpg,caf\xe9\n", "not UTF-8 text"),
        (b"name,annotation\n00001.jpg,\n", "no column image name"),
        (b"image_name\n00001.jpg\n", "no column annotation"),
        (b"", "the table is empty"),
        (b"image_name,annotation\n00001.jpg\n", "row 2: 1 fields instead of 2"),
    ],
)
def test_damaged_tables(tmp_path, content, message):
    write(tmp_path)
    (tmp_path / "dev.csv").write_bytes(content)
    for read in (scan, read_labels):
        with pytest.raises(DataError, match=message):
            read(tmp_path)


def test_masks_lie_on_the_objects(tmp_path):
    """Three bright objects of different shape on a wide image, as the annotation describes them."""
    film = Image.new("L", (120, 70))
    pen = ImageDraw.Draw(film)
    pen.rectangle((10, 5, 39, 14), fill=255)
    pen.ellipse((60, 10, 110, 30), fill=255)
    pen.polygon(((15, 40), (100, 45), (20, 60)), fill=255)
    write(tmp_path, {"00001.jpg": "0 10 5 40 15;1 60 10 110 30;2 15 40 100 45 20 60"})
    film.save(tmp_path / "train" / "00001.jpg", quality=100, subsampling=0)
    item = scan(tmp_path).items[0]
    bright = load_grey(tmp_path / item.images[0]) > 127
    (mask,) = rasterise(item.annotations, 1, *bright.shape)
    assert bright.shape == (70, 120)
    assert np.count_nonzero(mask & bright) >= 0.95 * np.count_nonzero(mask | bright)
    for wrong in (mask[:, ::-1], mask[::-1]):
        assert np.count_nonzero(wrong & bright) < 0.5 * np.count_nonzero(bright)
    boxes, _ = find_boxes(item.annotations)
    assert boxes.tolist() == [[10, 5, 30, 10], [60, 10, 50, 20], [15, 40, 85, 20]]


def _read_published(data_folder, count):
    """The first rows of each published list: id to boxes as x, y, height, width, as they are written there."""
    for part in ("train", "validation", "test"):
        with (data_folder / "splits" / "object_cxr" / f"{part}.csv").open(newline="") as file:
            for row in list(csv.DictReader(file))[:count]:
                boxes = [tuple(map(int, box.split(";"))) for box in row["boxes"].split("|") if box]
                yield row["ID"], "dev" if part == "test" else "train", boxes


def test_real_boxes_come_out_as_left_top_width_height(tmp_path, data_folder):
    published = list(_read_published(data_folder, 400))
    tables = {"train": {}, "dev": {}}
    for id_, part, boxes in published:
        items = [f"0 {x} {y} {x + width} {y + height}" for x, y, height, width in boxes]
        tables[part][f"{id_}.jpg"] = ";".join(items)
    write(tmp_path, tables["train"], tables["dev"], images={})
    for part, rows in tables.items():
        for name in rows:
            (tmp_path / part / name).touch()
    download = scan(tmp_path)
    assert download.problems == ()
    items = {item.id: item for item in download.items}
    assert len(items) == len(published)
    for id_, part, boxes in published:
        found, _ = find_boxes(items[id_].annotations)
        assert found.tolist() == [[x, y, width, height] for x, y, height, width in boxes]
        assert items[id_].split == ("test" if part == "dev" else "train")
    assert dict(read_labels(tmp_path).counts)["boxes"] == sum(len(boxes) for _, _, boxes in published)
    assert any(height != width for _, _, boxes in published for _, _, height, width in boxes)


def test_numbering_of_the_published_ids(data_folder):
    ids = [(id_, part) for id_, part, _ in _read_published(data_folder, None)]
    assert len(ids) == 9000
    assert {id_ for id_, part in ids if part == "train"} == {f"{number:05d}" for number in range(1, 8001)}
    assert all(int(after) == int(before) + 1 for before, after in pairwise(sorted(id_ for id_, _ in ids)))
