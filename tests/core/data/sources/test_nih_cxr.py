"""NIH ChestX-ray8 downloads: what is kept, what is refused, and that boxes and masks lie where the findings are."""

import csv
import gzip
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lovt_core.data.annotations.faults import find_faults
from lovt_core.data.annotations.rasterise import find_boxes, rasterise
from lovt_core.data.annotations.shapes import Annotation, Box
from lovt_core.data.images.loading import load_grey
from lovt_core.data.sources.nih_cxr import DATA_SET, read_labels, scan
from lovt_core.data.split_lists import load_published
from lovt_core.errors import DataError

BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
ENTRY_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
BOXES = (
    "90000001_000.png,Mass,10.5,20.25,30,40",
    "90000001_000.png,Infiltrate,1,2,3,4",
    "90000002_001.png,Atelectasis,5,6,7,8",
)
ENTRIES = {
    "90000001_000": "Infiltration|Mass",
    "90000002_000": "Hernia",
    "90000002_001": "Atelectasis",
    "90000003_000": "No Finding",
    "90000003_001": "No Finding",
    "90000004_000": "No Finding",
}


def entry_line(id_, labels, **changes):
    patient = changes.get("patient", str(int(id_.partition("_")[0])))
    return f"{id_}.png,{labels},0,{patient},57,M,PA,2682,2749,0.143,0.143"


def write(folder, boxes=BOXES, entries=ENTRIES, images=None, test_list=None):
    """A download in the original layout; every image has two folders to choose from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "BBox_List_2017.csv").write_text("\n".join([BOX_HEADER, *boxes]) + "\n")
    lines = entries if isinstance(entries, list) else [entry_line(id_, labels) for id_, labels in entries.items()]
    (folder / "Data_Entry_2017_v2020.csv").write_text("\n".join([ENTRY_HEADER, *lines]) + "\n")
    for position, id_ in enumerate(ENTRIES if images is None else images):
        part = folder / f"images_{1 + position % 2:03d}" / "images"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{id_}.png").touch()
    if test_list is not None:
        (folder / "test_list.txt").write_text("".join(f"{id_}.png\n" for id_ in test_list))
    return folder


def ids_of(download):
    return [item.id for item in download.items]


def complaints(download):
    return [str(problem) for problem in download.problems]


def test_a_download(tmp_path):
    download = scan(write(tmp_path, test_list=["90000002_000", "90000003_001", "90000004_000"]))
    assert ids_of(download) == ["90000001_000", "90000002_001", "90000003_001", "90000004_000"]
    first, second, third, _ = download.items
    assert (first.patient, first.images) == ("90000001", ("images_001/images/90000001_000.png",))
    assert first.annotations == (
        Annotation(Box(10.5, 20.25, 30, 40), "BBox_List_2017.csv: row 2", 4),
        Annotation(Box(1, 2, 3, 4), "BBox_List_2017.csv: row 3", 3),
    )
    assert second.annotations == (Annotation(Box(5, 6, 7, 8), "BBox_List_2017.csv: row 4", 0),)
    assert (third.annotations, third.split) == ((), None)
    assert download.tables == ("BBox_List_2017.csv", "Data_Entry_2017_v2020.csv", "test_list.txt")
    assert [(step.what, step.dropped, step.kept) for step in download.flow] == [
        ("images of Data_Entry_2017_v2020.csv", 0, 6),
        ("no box, and not one of 2 without finding drawn by patient (seed 0) from test_list.txt", 2, 4),
        ("box or patient unusable", 0, 4),
        ("image missing", 0, 4),
    ]
    assert download.problems == ()


def test_without_test_list_the_flow_says_so(tmp_path):
    download = scan(write(tmp_path))
    assert ids_of(download) == ["90000001_000", "90000002_001", "90000003_000", "90000003_001", "90000004_000"]
    assert "drawn by patient (seed 0) from the whole download, as there is no test_list.txt" in download.flow[1].what


def _many(count, films):
    return {f"{90000000 + patient:08d}_{film:03d}": "No Finding" for patient in range(count) for film in range(films)}


def test_one_image_a_patient_is_drawn_before_a_second_of_any(tmp_path):
    entries = _many(150, 3) | {"90001000_000": "Mass"}
    download = scan(write(tmp_path, ("90001000_000.png,Mass,1,1,5,5",), entries, images=entries))
    drawn = [item for item in download.items if not item.annotations]
    assert len(drawn) == len({item.patient for item in drawn}) == 100
    few = write(tmp_path / "few", ("90001000_000.png,Mass,1,1,5,5",), entries, images=list(_many(60, 3)))
    patients = Counter(item.patient for item in scan(few).items)
    assert sorted(patients.values()) == [1] * 20 + [2] * 40


def test_the_draw_does_not_depend_on_the_order_of_the_table(tmp_path):
    entries = _many(150, 2) | {"90001000_000": "Mass"}
    backwards = dict(reversed(entries.items()))
    boxes = ("90001000_000.png,Mass,1,1,5,5",)
    first = scan(write(tmp_path / "a", boxes, entries, images=entries))
    second = scan(write(tmp_path / "b", boxes, backwards, images=entries))
    assert ids_of(first) == ids_of(second)
    assert len(first.items) == 101


def test_the_draw_is_not_in_the_order_of_the_split_by_patient(tmp_path):
    """Else a split with the same seed would put all images without finding in its first part."""
    entries = _many(300, 1) | {"90001000_000": "Mass"}
    download = scan(write(tmp_path, ("90001000_000.png,Mass,1,1,5,5",), entries, images=entries))
    drawn = {item.patient for item in download.items if not item.annotations}
    patients = sorted({id_[:8] for id_ in _many(300, 1)}, key=lambda patient: sha256(f"0\n{patient}".encode()).digest())
    assert 15 < len(drawn & set(patients[:100])) < 60


def _some_published(count):
    """Ids of the published lists; the tables of a test decide what is on these images."""
    return sorted(load_published("nih-cxr").ids)[:count]


def test_published_images_without_finding_are_kept_where_any_is_there(tmp_path):
    listed = _some_published(12)
    others = ["00000002_000", "90000001_000"]
    entries = dict.fromkeys([*listed, *others], "No Finding") | {"90000002_001": "Atelectasis"}
    images = [id_ for id_ in entries if id_ != listed[7]]
    download = scan(write(tmp_path, BOXES[2:], entries, images=images, test_list=others))
    assert ids_of(download) == sorted([*listed[:7], *listed[8:], "90000002_001"])
    assert download.flow[1].what == "no box, and not one of the 12 without finding in the published lists"
    assert complaints(download) == [
        f"Data_Entry_2017_v2020.csv: row 9: the image {listed[7]}.png is in none of the folders of images"
    ]


def test_a_published_image_with_finding_is_never_kept_without_its_boxes(tmp_path):
    with_finding, *without = _some_published(3)
    entries = {with_finding: "Mass", without[0]: "No Finding", without[1]: "Mass"}
    download = scan(write(tmp_path, (f"{without[1]}.png,Mass,1,1,5,5",), entries, images=entries))
    assert ids_of(download) == without


@pytest.mark.parametrize("table", ["Data_Entry_2017_v2020.csv.gz", "Data_Entry_2017.csv", "Data_Entry_2017.csv.gz"])
def test_spellings_of_the_table_of_labels(tmp_path, table):
    content = (write(tmp_path) / "Data_Entry_2017_v2020.csv").read_bytes()
    (tmp_path / "Data_Entry_2017_v2020.csv").unlink()
    if "v2020" not in table:  # the first release ends its rows with a comma
        content = b"".join(line + b",\n" for line in content.splitlines())
    (tmp_path / table).write_bytes(gzip.compress(content) if table.endswith(".gz") else content)
    assert scan(tmp_path).tables[1] == table
    assert len(scan(tmp_path).items) == 5
    assert dict(read_labels(tmp_path).counts)["images"] == 6


def test_places_of_images(tmp_path):
    write(tmp_path, images=["90000001_000"])
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "90000002_001.png").touch()
    (tmp_path / "images_012").mkdir()
    (tmp_path / "images_012" / "90000004_000.png").touch()
    (tmp_path / "images" / "90000001_000.png").touch()
    (tmp_path / "images" / "readme.txt").touch()
    download = scan(tmp_path)
    assert [item.images[0] for item in download.items] == [
        "images/90000001_000.png",
        "images/90000002_001.png",
        "images_012/90000004_000.png",
    ]
    assert complaints(download) == ["images_001/images/90000001_000.png: the same image as images/90000001_000.png"]


def test_labels_without_images(tmp_path):
    labels = read_labels(write(tmp_path, images=[]))
    counts = dict(labels.counts)
    assert (counts["boxes"], counts["images with boxes"], counts["patients with boxes"]) == (3, 2, 2)
    assert (counts["boxes of Mass"], counts["boxes of Nodule"]) == (1, 0)
    assert (counts["images"], counts["patients"], counts["images without finding"]) == (6, 4, 3)
    assert labels.ids == tuple(ENTRIES)
    assert labels.problems == ()


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("90000002_001.png,Infiltration,5,6,7,8", "unknown finding 'Infiltration': boxes show Atelectasis,"),
        ("90000002_001.png,Mass,5,6,0,8", "box 5 6 0 8 has no area"),
        ("90000002_001.png,Mass,5,6,7,-8", "box 5 6 7 -8 has no area"),
        ("90000002_001.png,Mass,5,nan,7,8", "box 5 nan 7 8 has coordinates that are not finite numbers"),
        ("90000002_001.png,Mass,5,six,7,8", "left, top, width and height of the box must be numbers"),
        ("90000002_001.png,Mass,5,6,7,", "left, top, width and height of the box must be numbers"),
    ],
)
def test_an_image_with_an_unusable_box_is_left_out(tmp_path, row, what):
    write(tmp_path, (*BOXES, row))
    for problems in (scan(tmp_path).problems, read_labels(tmp_path).problems):
        (problem,) = problems
        assert problem.where == "BBox_List_2017.csv: row 5"
        assert problem.what.startswith(what)
    download = scan(tmp_path)
    assert ids_of(download) == ["90000001_000", "90000003_000", "90000003_001", "90000004_000"]
    assert (download.flow[2].what, download.flow[2].dropped) == ("box or patient unusable", 1)


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "images/90000001_000.png", "90000001_000.jpg", ""])
def test_names_that_are_no_names_of_images(tmp_path, name):
    (tmp_path / "secret.png").touch()
    entries = [entry_line(*entry) for entry in ENTRIES.items()]
    write(tmp_path / "d", (*BOXES, f"{name},Mass,5,6,7,8"), [*entries, f"{name},No Finding,0,1,57,M,PA,1,1,1,1"])
    download = scan(tmp_path / "d")
    what = f"'{name}' is not the name of an image, such as 00000001_000.png"
    assert complaints(download) == [f"BBox_List_2017.csv: row 5: {what}", f"Data_Entry_2017_v2020.csv: row 8: {what}"]
    assert len(download.items) == 5


def test_ids_without_image_and_the_reverse(tmp_path):
    images = ["90000001_000", "90000003_000", "90000008_000"]
    boxes = (*BOXES, "90000009_000.png,Mass,5,6,7,8")
    download = scan(write(tmp_path, boxes, images=images))
    assert complaints(download) == [
        "BBox_List_2017.csv: row 5: the image is not in Data_Entry_2017_v2020.csv",
        "images_001/images/90000008_000.png: the image is not in Data_Entry_2017_v2020.csv",
        "BBox_List_2017.csv: row 4: the image 90000002_001.png is in none of the folders of images",
    ]
    assert ids_of(download) == ["90000001_000", "90000003_000"]
    assert download.flow[3].dropped == 1


def test_patients_that_contradict_the_name_and_repeated_rows(tmp_path):
    lines = [entry_line(*entry) for entry in ENTRIES.items()]
    lines[2] = entry_line("90000002_001", "Atelectasis", patient="7")
    download = scan(write(tmp_path, entries=[*lines, lines[3]]))
    assert complaints(download) == [
        "Data_Entry_2017_v2020.csv: row 4: the patient 7 is not that of the image 90000002_001.png",
        "Data_Entry_2017_v2020.csv: row 8: the image 90000003_000.png is named in row 5 already",
    ]
    assert ids_of(download) == ["90000001_000", "90000003_001", "90000004_000"]


def test_a_box_that_is_listed_twice(tmp_path):
    download = scan(write(tmp_path, boxes=(*BOXES, BOXES[0])))
    assert "BBox_List_2017.csv: row 5: the same box as BBox_List_2017.csv: row 2: remove one" in complaints(download)
    assert "90000001_000" not in ids_of(download)
    assert "90000002_001" in ids_of(download)


def test_an_empty_test_list(tmp_path):
    with pytest.raises(DataError, match=r"test_list.txt: the list is empty; it names the official test images"):
        scan(write(tmp_path, test_list=[]))


def test_wrong_and_partial_folders(tmp_path):
    for read in (scan, read_labels):
        with pytest.raises(DataError, match="absent does not exist"):
            read(tmp_path / "absent")
    (tmp_path / "metadata.csv").touch()
    with pytest.raises(DataError) as caught:
        scan(tmp_path)
    assert "no BBox_List_2017.csv and no Data_Entry_2017_v2020.csv and no images_001 there" in str(caught.value)
    assert all(line in str(caught.value) for line in DATA_SET.documented_layout)
    write(tmp_path, images=[])
    with pytest.raises(DataError, match="no images_001 there, but BBox"):
        scan(tmp_path)
    (tmp_path / "BBox_List_2017.csv").unlink()
    with pytest.raises(DataError, match=r"no BBox_List_2017\.csv there"):
        read_labels(tmp_path)
    with pytest.raises(DataError, match="did you mean"):
        scan(write(tmp_path / "outer" / "inner").parent)


@pytest.mark.parametrize(
    ("table", "content", "message"),
    [
        ("BBox_List_2017.csv", b"Image Index,Finding Label,Bbox [x,y,w,h],,,\n\xe9,Mass,1,1,1,1\n", "not UTF-8 text"),
        ("BBox_List_2017.csv", b"Image Index,Finding Label\nx,Mass\n", r"no column bbox \[x, y, w, h\]"),
        ("BBox_List_2017.csv", b"Image Index,Finding Label,Bbox [x,y,w,h],,,\nx.png,Mass,1,1\n", "row 2: 4 fields"),
        ("BBox_List_2017.csv", b"", "the table is empty"),
        ("Data_Entry_2017_v2020.csv", b"Image Index,Finding Labels\nx,y\n", "no column patient id"),
        ("Data_Entry_2017_v2020.csv", b"\xff\xfe", "not UTF-8 text"),
        ("test_list.txt", b"90000003_000.png\n\xe9\n", "not UTF-8 text"),
    ],
)
def test_damaged_tables(tmp_path, table, content, message):
    write(tmp_path)
    (tmp_path / table).write_bytes(content)
    with pytest.raises(DataError, match=message):
        scan(tmp_path)


def test_masks_lie_on_the_findings(tmp_path):
    """Two bright rectangles of different shape on a tall image, as the table of boxes describes them."""
    film = Image.new("L", (90, 140))
    ImageDraw.Draw(film).rectangle((12, 20, 51, 29), fill=255)
    ImageDraw.Draw(film).rectangle((70, 100, 79, 129), fill=255)
    rows = ("90000001_000.png,Effusion,12,20,40,10", "90000001_000.png,Nodule,70,100,10,30")
    write(tmp_path, rows, images=["90000001_000"])
    film.save(tmp_path / "images_001" / "images" / "90000001_000.png")
    (item,) = scan(tmp_path).items
    bright = load_grey(tmp_path / item.images[0]) > 127
    masks = rasterise(item.annotations, len(DATA_SET.classes), *bright.shape)
    assert np.array_equal(masks.max(axis=0) == 1, bright)
    present = [DATA_SET.classes[label] for label in np.flatnonzero(masks.any(axis=(1, 2)))]
    assert present == ["Effusion", "Nodule"]
    assert masks[2, 20:30, 12:52].all()
    boxes, labels = find_boxes(item.annotations)
    assert (boxes.tolist(), labels.tolist()) == ([[12, 20, 40, 10], [70, 100, 10, 30]], [2, 5])


@pytest.fixture(scope="module")
def real_rows(data_folder):
    """Rows of the real tables, read without the code under test."""
    folder = data_folder / "nih"
    with (folder / "BBox_List_2017.csv").open(newline="") as file:
        boxes = [(row[0], row[1], *map(float, row[2:6])) for row in list(csv.reader(file))[1:]]
    with gzip.open(folder / "Data_Entry_2017_v2020.csv.gz", "rt", newline="") as file:
        entries = [(row[0], row[1], row[3]) for row in list(csv.reader(file))[1:]]
    return boxes, entries


def test_counts_of_the_real_tables(data_folder, real_rows):
    boxes, entries = real_rows
    labels = read_labels(data_folder / "nih")
    assert labels.problems == ()
    assert dict(labels.counts) == {
        "boxes": len(boxes),
        "images with boxes": len({row[0] for row in boxes}),
        "patients with boxes": len({row[0][:8] for row in boxes}),
        **{f"boxes of {name}": sum(row[1] == name for row in boxes) for name in DATA_SET.classes},
        "images": len(entries),
        "patients": len({row[2] for row in entries}),
        "images without finding": sum(row[1] == "No Finding" for row in entries),
    }
    assert (len(boxes), len({row[0] for row in boxes}), len(entries)) == (984, 880, 112120)
    assert labels.ids == tuple(row[0][:-4] for row in entries)
    assert load_published("nih-cxr").ids <= set(labels.ids)


@pytest.fixture(scope="module")
def complete_download(tmp_path_factory, data_folder):
    """All real rows, and an empty file for each published image."""
    root = tmp_path_factory.mktemp("nih")
    for table in ("BBox_List_2017.csv", "Data_Entry_2017_v2020.csv.gz"):
        (root / table).symlink_to(data_folder / "nih" / table)
    (root / "images_001" / "images").mkdir(parents=True)
    for id_ in load_published("nih-cxr").ids:
        (root / "images_001" / "images" / f"{id_}.png").touch()
    return scan(root)


def test_a_complete_download_gives_the_published_samples(complete_download):
    assert complete_download.problems == ()
    assert set(ids_of(complete_download)) == load_published("nih-cxr").ids
    assert sum(bool(item.annotations) for item in complete_download.items) == 880
    assert complete_download.flow[-1].kept == 980


def test_boxes_of_the_published_lists_are_ours_number_for_number(data_folder, complete_download):
    items = {item.id: item for item in complete_download.items}
    num_boxes = 0
    for part in ("train", "validation", "test"):
        with (data_folder / "splits" / "nih" / f"{part}.csv").open(newline="") as file:
            published = list(csv.DictReader(file))
        for row in published:
            boxes, labels = find_boxes(items[row["ID"]].annotations)
            expected = [list(map(float, box.split(";"))) for box in row["boxes"].split("|") if box]
            assert boxes.tolist() == expected
            assert labels.tolist() == [int(label) for label in row["classes"].split("|") if label]
            assert find_faults(items[row["ID"]].annotations, 1024, 1024) == []
            num_boxes += len(boxes)
    assert num_boxes == 984


def test_real_boxes_agree_with_the_image_labels(real_rows):
    boxes, entries = real_rows
    labels = {name: text.split("|") for name, text, _ in entries}
    assert all(label.replace("Infiltrate", "Infiltration") in labels[name] for name, label, *_ in boxes)


def test_the_real_folder_with_two_images(data_folder, real_rows):
    download = scan(data_folder / "nih")
    missing = {problem.what for problem in download.problems}
    assert missing == {
        f"the image {name} is in none of the folders of images" for name in {row[0] for row in real_rows[0]}
    }
    assert len(download.problems) == 880
    assert [(item.id, item.annotations) for item in download.items] == [("00027426_000", ())]
