"""SIIM-ACR: run lengths, nested DICOM files, and what is said of a bad download."""

import csv

import numpy as np
import pytest

from lovt_core.data.annotations.run_lengths import decode_runs, encode_runs, find_fault
from lovt_core.data.annotations.shapes import RunLengths
from lovt_core.data.images.loading import load_image
from lovt_core.data.sources.siim import DATA_SET, read_labels, scan
from lovt_core.data.split_lists import load_published
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film
from tests.core.data.images.dicom_factory import write_jpeg

TABLE, IMAGES, HEADER = "train-rle.csv", "dicom-images-train", "ImageId, EncodedPixels"
ROWS = ("1.2.3,-1", "1.2.4, 5 2 1015 8", "1.2.4,90 3", "1.2.5,-1")
NAMES = ("1.2.3", "1.2.4", "1.2.5")


def write_image(folder, name, *, place=None, seed=0):
    """One film, two folders deep unless told otherwise."""
    parent = folder / IMAGES / (f"study-{name}/series" if place is None else place)
    parent.mkdir(parents=True, exist_ok=True)
    return write_jpeg(parent / f"{name}.dcm", draw_film(seed))


def write_download(folder, rows=ROWS, names=NAMES):
    """A table of the given rows and images of the given names."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    (folder / TABLE).write_text("\n".join((HEADER, *rows)) + "\n")
    for seed, name in enumerate(names):
        write_image(folder, name, seed=seed)
    return folder


def problems_of(folder):
    return [str(problem) for problem in scan(folder).problems]


def flow_of(folder):
    return [(step.what, step.dropped) for step in scan(folder).flow if step.dropped]


def test_annotations_of_each_image(tmp_path):
    download = scan(write_download(tmp_path))
    assert [(item.id, item.patient, item.images) for item in download.items] == [
        (name, name, (f"{IMAGES}/study-{name}/series/{name}.dcm",)) for name in NAMES
    ]
    assert [[each.shape for each in item.annotations] for item in download.items] == [
        [],
        [RunLengths("5 2 1015 8"), RunLengths("90 3")],
        [],
    ]
    assert [each.where for each in download.items[1].annotations] == [f"{TABLE}: row 3", f"{TABLE}: row 4"]
    assert download.tables == (TABLE,)
    assert download.problems == ()
    assert {(step.dropped, step.kept) for step in download.flow} == {(0, 3)}
    counts = (("rows", 4), ("images", 3), ("images with pneumothorax", 1), ("annotations", 2))
    assert read_labels(tmp_path).counts == counts


@pytest.mark.parametrize("place", ["", "a/b/c/d"])
def test_images_lie_at_any_depth(tmp_path, place):
    write_download(tmp_path, names=NAMES[:2])
    write_image(tmp_path, NAMES[2], place=place)
    assert scan(tmp_path).items[2].images == ("/".join(filter(None, (IMAGES, place, "1.2.5.dcm"))),)


@pytest.mark.parametrize("table", ["siim/train-rle.csv", "stage_2_train.csv", "siim/stage_2_train.csv"])
def test_copies_name_table_and_folders_otherwise(tmp_path, table):
    write_download(tmp_path / "d")
    (tmp_path / "copy" / "siim").mkdir(parents=True)
    text = (tmp_path / "d" / TABLE).read_text()
    (tmp_path / "copy" / table).write_text(text.replace(HEADER, "ImageId,EncodedPixels"))
    (tmp_path / "d" / IMAGES).rename(tmp_path / "copy" / "siim" / IMAGES)
    download = scan(tmp_path / "copy")
    assert download.tables == (table,)
    assert [item.images for item in download.items] == [
        (f"siim/{IMAGES}/study-{name}/series/{name}.dcm",) for name in NAMES
    ]
    assert download.items[1].annotations[0].where == f"{table}: row 3"
    assert download.problems == ()


def test_images_without_a_row_are_left_out(tmp_path):
    write_download(tmp_path, names=(*NAMES, "1.2.6", "1.2.7"))
    (tmp_path / IMAGES / "study-1.2.6" / "series" / "other.txt").touch()
    (tmp_path / IMAGES / "study-1.2.6" / "series" / "._1.2.3.dcm").touch()
    assert problems_of(tmp_path) == []
    assert [item.id for item in scan(tmp_path).items] == list(NAMES)
    assert scan(tmp_path).flow[0].kept == 5
    assert flow_of(tmp_path) == [("without a row in the table", 2)]


def test_images_that_are_missing(tmp_path):
    write_download(tmp_path, names=NAMES[1:])
    assert problems_of(tmp_path) == [f"{TABLE}: row 2: the image 1.2.3.dcm is nowhere below {IMAGES}"]
    assert [item.id for item in scan(tmp_path).items] == list(NAMES[1:])
    assert read_labels(tmp_path).ids == NAMES


def test_two_images_of_one_name(tmp_path):
    write_download(tmp_path)
    write_image(tmp_path, "1.2.4", place="another")
    assert problems_of(tmp_path) == [f"{IMAGES}/study-1.2.4/series/1.2.4.dcm: also there as {IMAGES}/another/1.2.4.dcm"]
    assert [item.id for item in scan(tmp_path).items] == ["1.2.3", "1.2.5"]
    assert flow_of(tmp_path) == [("several of the same name", 2)]
    assert scan(tmp_path).flow[-1].kept == 2


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ("", "run lengths: neither runs nor -1"),
        ("5 2 7", "run lengths: 3 numbers, which are no pairs of offset and length"),
        ("5 x", "run lengths: x is no whole number of pixels"),
        ("-5 2", "run lengths: the number -5 is negative"),
        ("5 0", "run lengths: run 1 has no pixels"),
        ("1048570 7", "run lengths: the runs end at pixel 1048577, outside a raster of 1024 x 1024"),
    ],
)
def test_a_bad_row_is_named_and_its_image_left_out(tmp_path, runs, said):
    write_download(tmp_path, (ROWS[0], f"1.2.4,{runs}", ROWS[3]))
    assert problems_of(tmp_path) == [f"{TABLE}: row 3: {said}"]
    assert [item.id for item in scan(tmp_path).items] == ["1.2.3", "1.2.5"]
    assert flow_of(tmp_path) == [("rows that cannot be used", 1)]
    assert [str(problem) for problem in read_labels(tmp_path).problems] == problems_of(tmp_path)


def test_rows_that_contradict_or_repeat_each_other(tmp_path):
    write_download(tmp_path, (*ROWS, "1.2.3,7 7", "1.2.4,-1", "1.2.4,90 3", "1.2.5,-1"))
    assert problems_of(tmp_path) == [
        f"{TABLE}: row 6: the image has both run lengths and -1 (row 2 and this one)",
        f"{TABLE}: row 7: the image has both run lengths and -1 (row 3 and this one)",
        f"{TABLE}: row 8: the same as row 4",
        f"{TABLE}: row 9: the same as row 5",
    ]
    assert scan(tmp_path).items == ()


def test_an_id_never_leads_out_of_the_download(tmp_path):
    write_download(tmp_path / "d", ("../../1.2.4,-1", "..\\b,-1", ",-1", "..,-1", ROWS[0]), names=NAMES[:1])
    write_jpeg(tmp_path / "1.2.4.dcm", draw_film(0))
    assert problems_of(tmp_path / "d") == [
        f"{TABLE}: row 2: the ImageId ../../1.2.4 is not the name of an image",
        f"{TABLE}: row 3: the ImageId ..\\b is not the name of an image",
        f"{TABLE}: row 4: the ImageId (nothing) is not the name of an image",
        f"{TABLE}: row 5: the image ...dcm is nowhere below {IMAGES}",
    ]
    assert [item.id for item in scan(tmp_path / "d").items] == ["1.2.3"]


def test_linked_folders_are_not_followed(tmp_path):
    write_download(tmp_path / "d", names=NAMES[:2])
    write_image(tmp_path / "elsewhere", NAMES[2])
    (tmp_path / "d" / IMAGES / "link").symlink_to(tmp_path / "elsewhere" / IMAGES)
    assert problems_of(tmp_path / "d") == [f"{TABLE}: row 5: the image 1.2.5.dcm is nowhere below {IMAGES}"]


def test_wrong_folders_and_tables(tmp_path):
    with pytest.raises(DataError, match="absent does not exist"):
        scan(tmp_path / "absent")
    write_download(tmp_path / "d")
    with pytest.raises(
        DataError, match=r"no train-rle.csv and no dicom-images-train there, but d; did you mean .*/d\?"
    ):
        scan(tmp_path)
    (tmp_path / "d" / TABLE).write_text("ImageId,Pixels\n1.2.3,-1\n")
    with pytest.raises(DataError, match="row 1: no column encodedpixels; found: imageid, pixels"):
        scan(tmp_path / "d")
    (tmp_path / "d" / TABLE).write_bytes(f"{HEADER}\n1.2.3\xe9,-1\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8 text"):
        read_labels(tmp_path / "d")
    (tmp_path / "d" / TABLE).unlink()
    with pytest.raises(DataError, match=r"no train-rle.csv there, but dicom-images-train(.|\n)*<study>/<series>"):
        read_labels(tmp_path / "d")
    (tmp_path / "d" / TABLE).write_text(f"{HEADER}\n1.2.3,-1\n")
    (tmp_path / "d" / IMAGES).rename(tmp_path / "d" / "images")
    with pytest.raises(DataError, match=r"no dicom-images-train there, but images, train-rle\.csv"):
        scan(tmp_path / "d")


def test_a_folder_whose_name_is_no_text(tmp_path):
    write_download(tmp_path, names=NAMES[:2])
    write_image(tmp_path, NAMES[2], place="caf\udce9")
    with pytest.raises(DataError, match=r"caf\\udce9/1.2.5.dcm: the name is not UTF-8 text: rename the folder"):
        scan(tmp_path)


def test_damaged_images_are_named_when_decoded(tmp_path):
    write_download(tmp_path)
    first, second, _ = (tmp_path / item.images[0] for item in scan(tmp_path).items)
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:-900])
    with pytest.raises(DataError, match=r"1\.2\.3\.dcm: the file is empty"):
        load_image(first)
    with pytest.raises(DataError, match=r"1\.2\.4\.dcm: a DICOM file that is cut off"):
        load_image(second)


def test_the_mask_lies_on_what_it_marks(tmp_path):
    """A bright bar, higher than wide, in the lower left; its runs are written by hand, column by column."""
    film = np.full((1024, 1024), 40, dtype=np.uint8)
    film[700:1000, 80:112] = 240
    (tmp_path / IMAGES).mkdir()
    write_jpeg(tmp_path / IMAGES / "bar.dcm", film)
    runs = " ".join([f"{80 * 1024 + 700} 300", *["724 300"] * 31])
    write_download(tmp_path, (f"bar,{runs}",), names=())
    (item,) = scan(tmp_path).items
    (shape,) = [each.shape for each in item.annotations]
    bright = np.asarray(load_image(tmp_path / item.images[0])) > 140
    assert bright.sum() == 300 * 32
    assert np.array_equal(decode_runs(shape.text, shape.height, shape.width), bright)


def read_real_rows(data_folder):
    with (data_folder / "siim" / TABLE).open(newline="") as file:
        return [(name, runs.strip()) for name, runs in list(csv.reader(file))[1:]]


def test_real_labels(data_folder):
    labels = read_labels(data_folder / "siim")
    rows = read_real_rows(data_folder)
    assert dict(labels.counts) == {
        "rows": len(rows),
        "images": len({name for name, _ in rows}),
        "images with pneumothorax": len({name for name, runs in rows if runs != "-1"}),
        "annotations": sum(runs != "-1" for _, runs in rows),
    }
    assert list(dict(labels.counts).values()) == [12954, 12047, 2669, 3576]
    assert labels.problems == ()


def test_real_ids_are_those_of_the_published_lists(data_folder):
    ids = read_labels(data_folder / "siim").ids
    assert len(ids) == len(set(ids))
    assert set(ids) == load_published(DATA_SET.name).ids


def test_real_runs_survive_a_round_trip(data_folder):
    texts = [runs for _, runs in read_real_rows(data_folder) if runs != "-1"][::60]
    for text in texts:
        mask = decode_runs(text, 1024, 1024)
        assert mask.sum() == sum(map(int, text.split()[1::2]))
        assert encode_runs(mask) == text
        assert find_fault(text, 1024, 1024) is None


def test_real_download(data_folder, tmp_path):
    """The one real film in the layout of the download: no pneumothorax."""
    (film,) = (data_folder / "siim").glob("*.dcm")
    (tmp_path / IMAGES / "study" / "series").mkdir(parents=True)
    (tmp_path / IMAGES / "study" / "series" / film.name).symlink_to(film)
    (tmp_path / TABLE).write_text("\n".join((data_folder / "siim" / TABLE).read_text().splitlines()[:2]) + "\n")
    download = scan(tmp_path)
    assert [item.id for item in download.items] == [film.stem]
    assert download.items[0].annotations == ()
    assert download.problems == ()
    assert load_image(tmp_path / download.items[0].images[0]).size == (1024, 1024)
