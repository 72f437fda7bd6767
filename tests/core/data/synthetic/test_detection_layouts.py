"""Synthetic downloads of the detection sets: in the original layout, read without a complaint, labels on the spot."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.annotations.faults import find_faults
from lovt_core.data.annotations.rasterise import rasterise
from lovt_core.data.annotations.shapes import Box, Ellipse, Polygon
from lovt_core.data.images.loading import load_grey
from lovt_core.data.sources import nih_cxr as nih_source
from lovt_core.data.sources import object_cxr as object_source
from lovt_core.data.split_lists import load_published
from lovt_core.data.synthetic.layouts import nih_cxr, object_cxr
from lovt_core.data.synthetic.patients import Film, plan_films

SIZE = 64
LAYOUTS = {"object-cxr": object_cxr, "nih-cxr": nih_cxr}
SOURCES = {"object-cxr": object_source, "nih-cxr": nih_source}


def plan(count: int, seed: int = 0, size: int = SIZE) -> list[Film]:
    return list(plan_films(count, seed, 77, size))


def make(folder: Path, layout: str, films: list[Film]) -> Path:
    """A download of these films."""
    folder.mkdir(parents=True, exist_ok=True)
    module = LAYOUTS[layout]
    module.finish(folder, [module.write_film(folder, film) for film in films])
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("objects"), "object-cxr", plan(45))


@pytest.fixture(scope="module")
def nih(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("nih"), "nih-cxr", plan(120))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bytes_depend_on_nothing_but_the_films(tmp_path: Path, layout: str) -> None:
    films = plan(10)
    first = content_of(make(tmp_path / "first", layout, films))
    module, folder = LAYOUTS[layout], tmp_path / "backwards"
    folder.mkdir()
    rows = [module.write_film(folder, film) for film in reversed(films)]
    module.finish(folder, rows[::-1])
    assert content_of(folder) == first
    more = content_of(make(tmp_path / "more", layout, plan(14)))
    images = {name: content for name, content in first.items() if name.endswith((".jpg", ".png"))}
    assert len(images) == 10
    assert images.items() <= more.items()
    other = content_of(make(tmp_path / "other", layout, plan(10, seed=1)))
    assert not set(images.values()) & set(other.values())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_synthetic_image_is_called_like_a_published_one(tmp_path: Path, layout: str) -> None:
    published = load_published(layout)
    assert published is not None
    ids = SOURCES[layout].read_labels(make(tmp_path, layout, plan(20, size=32))).ids
    assert not published.ids & set(ids)


def test_object_cxr_layout(objects: Path) -> None:
    rows = {}
    for part in ("train", "dev"):
        with (objects / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            rows[part] = list(csv.DictReader(file))
        assert tuple(rows[part][0]) == ("image_name", "annotation")
        assert {row["image_name"] for row in rows[part]} == {path.name for path in (objects / part).iterdir()}
    assert (len(rows["train"]), len(rows["dev"])) == (40, 5)
    with Image.open(objects / "train" / rows["train"][0]["image_name"]) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "L", (SIZE, SIZE))


def test_object_cxr_is_read_without_a_complaint(objects: Path) -> None:
    download = object_source.scan(objects)
    assert (len(download.items), download.problems) == (45, ())
    empty = sum(not item.annotations for item in download.items)
    assert 10 < empty < 35
    shapes = Counter(type(each.shape) for item in download.items for each in item.annotations)
    assert set(shapes) == {Box, Ellipse, Polygon}
    assert min(shapes.values()) >= 5
    for item in download.items:
        assert find_faults(item.annotations, SIZE, SIZE) == []


def test_foreign_objects_are_brighter_than_what_surrounds_them(tmp_path: Path) -> None:
    folder = make(tmp_path, "object-cxr", plan(30, size=128))
    brighter = []
    for item in object_source.scan(folder).items:
        image = load_grey(folder / item.images[0]).astype(float)
        for each in item.annotations:
            inside = rasterise([each], 1, *image.shape)[0] == 1
            box = np.argwhere(inside)
            (top, left), (bottom, right) = np.maximum(box.min(axis=0) - 4, 0), box.max(axis=0) + 5
            around = np.zeros_like(inside)
            around[top:bottom, left:right] = True
            brighter.append(image[inside].mean() - image[around & ~inside].mean())
    assert len(brighter) > 15
    assert np.mean(np.array(brighter) > 5) > 0.9


def test_foreign_objects_among_the_findings_are_annotated_as_they_are_drawn(tmp_path: Path) -> None:
    films = plan(90, size=128)
    cases = [film.build() for film in films]
    with_object = [any(each.kind == "foreign object" for each in case.findings) for case in cases]
    chosen = [film for film in films if film.index < 2 or with_object[film.index]]  # two films fill both tables
    items = {item.id: item for item in object_source.scan(make(tmp_path, "object-cxr", chosen)).items}
    shapes = set()
    for film in chosen:
        case, annotations = cases[film.index], items[f"{20_001 + film.index:05d}"].annotations
        objects = [
            outline
            for finding, outline in zip(case.findings, case.outlines, strict=True)
            if finding.kind == "foreign object"
        ]
        for each, outline in zip(annotations, objects, strict=False):  # what was laid on the film follows
            mask = rasterise([each], 1, 128, 128)[0] == 1
            assert np.count_nonzero(mask & outline) > 0.55 * np.count_nonzero(mask | outline)  # 6 pixels wide
            shapes.add(type(each.shape))
    assert shapes == {Ellipse, Polygon}


def test_two_films_fill_both_parts(tmp_path: Path) -> None:
    download = object_source.scan(make(tmp_path, "object-cxr", plan(2)))
    assert [item.split for item in download.items] == ["train", "test"]
    alone = make(tmp_path / "alone", "object-cxr", plan(1))
    assert {path.name for path in alone.iterdir()} == {"train", "dev", "train.csv", "dev.csv"}


def test_nih_layout(nih: Path) -> None:
    boxes = (nih / "BBox_List_2017.csv").read_text().splitlines()
    entries = (nih / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    assert all(len(line.split(",")) == 6 for line in boxes[1:])
    assert all(len(line.split(",")) == len(entries[0].split(",")) == 11 for line in entries[1:])
    names = {line.split(",")[0] for line in entries[1:]}
    assert len(names) == 120
    folders = [sorted(path.name for path in (nih / part / "images").iterdir()) for part in ("images_001", "images_002")]
    assert [len(part) for part in folders] == [100, 20]
    assert names == {name for part in folders for name in part}
    lists = [set((nih / name).read_text().split()) for name in ("test_list.txt", "train_val_list.txt")]
    assert lists[0] | lists[1] == names
    patients = [{name[:8] for name in part} for part in lists]
    assert not patients[0] & patients[1]
    with Image.open(nih / "images_001" / "images" / folders[0][0]) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (SIZE, SIZE))


def test_nih_headers_are_those_of_the_real_tables(nih: Path, data_folder: Path) -> None:
    with (data_folder / "nih" / "BBox_List_2017.csv").open() as file:
        assert (nih / "BBox_List_2017.csv").read_text().splitlines()[0] == file.readline().rstrip()
    with gzip.open(data_folder / "nih" / "Data_Entry_2017_v2020.csv.gz", "rt") as file:
        assert (nih / "Data_Entry_2017_v2020.csv").read_text().splitlines()[0] == file.readline().rstrip()


def test_nih_is_read_without_a_complaint(nih: Path) -> None:
    labels, download = nih_source.read_labels(nih), nih_source.scan(nih)
    assert (labels.problems, download.problems) == ((), ())
    counts = dict(labels.counts)
    assert counts["images"] == len(labels.ids) == 120
    assert 10 < counts["images without finding"] < 60
    assert counts["images without finding"] + counts["images with boxes"] < 110  # labels without boxes
    assert all(counts[f"boxes of {name}"] for name in nih_source.DATA_SET.classes)
    without = [item for item in download.items if not item.annotations]
    assert without
    assert len(download.items) == counts["images with boxes"] + len(without)
    assert "from test_list.txt" in download.flow[1].what
    for item in download.items:
        assert find_faults(item.annotations, SIZE, SIZE) == []


def test_nih_boxes_agree_with_the_image_labels(nih: Path) -> None:
    with (nih / "Data_Entry_2017_v2020.csv").open(newline="") as file:
        labels = {row[0]: row[1].split("|") for row in csv.reader(file)}
    rows = [line.split(",") for line in (nih / "BBox_List_2017.csv").read_text().splitlines()[1:]]
    assert all(row[1].replace("Infiltrate", "Infiltration") in labels[row[0]] for row in rows)


def test_nih_boxes_enclose_the_findings(tmp_path: Path) -> None:
    films = [film for film in plan(24) if film.index % 4 != 3]
    download = nih_source.scan(make(tmp_path, "nih-cxr", films))
    items = {item.images[0].split("/")[-1]: item for item in download.items}
    checked = 0
    for film in films:
        item = items.get(f"{90_000_001 + film.patient:08d}_{film.follow_up:03d}.png")
        if item is None or not item.annotations:
            continue
        masks = rasterise(item.annotations, 8, SIZE, SIZE)
        case = film.build()
        for finding, outline in zip(case.findings, case.outlines, strict=True):
            if finding.kind != "foreign object":
                (label,) = [
                    each for each, name in enumerate(nih_source.DATA_SET.classes) if name.lower() == finding.kind
                ]
                assert masks[label][outline].all()
                checked += 1
    assert checked > 10
