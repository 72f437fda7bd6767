"""A group's own table of pairs: what each column does, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from lovt_core.data.annotations.mask_bits import unpack_masks
from lovt_core.data.annotations.shapes import Box, MaskFile
from lovt_core.data.preparation.decoding import Recipe, decode_item
from lovt_core.data.sources.paired_csv import DATA_SET, read_labels, scan
from lovt_core.errors import DataError
from tests.core.data.sources.pairs_factory import REPORT, flow_of, pair, told, write_pairs


def test_the_smallest_table(tmp_path):
    download = scan(write_pairs(tmp_path, [pair(1), pair(2, image="films/deep/er/2.jpg", patient="p1")]))
    assert [(item.id, item.patient, item.images) for item in download.items] == [
        ("films/1.png", "p1", ("films/1.png",)),
        ("films/deep/er/2.jpg", "p1", ("films/deep/er/2.jpg",)),
    ]
    item = download.items[0]
    assert item.sentences == ("The heart is enlarged.", "No effusion.")
    assert (item.annotations, item.findings, item.split) == ((), (), None)
    assert (download.classes, download.problems, download.tables) == ((), (), ("pairs.csv",))


def test_the_documented_example(tmp_path):
    """The lines of the layout are a table that works."""
    lines = [line[16:] for line in DATA_SET.documented_layout[-3:]]
    write_pairs(tmp_path, [pair(1), pair(2)])
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    download = scan(tmp_path)
    assert [(item.patient, len(item.sentences)) for item in download.items] == [("p17", 2), ("p18", 1)]
    assert download.problems == ()


def test_all_columns(tmp_path):
    rows = [
        pair(1, id="a", split="Train", boxes="12;40;20.5;15|30;8;9;6", classes="nodule|effusion"),
        pair(
            2, id="b", split="dev", mask="masks/2.png", classes="nodule", findings="Edema:1|Mass:0|Scar:-1|Old: 1|New"
        ),
        pair(3, id="c", split="test", boxes="1;2;3;4"),
    ]
    download = scan(write_pairs(tmp_path, rows))
    assert download.problems == ()
    assert download.classes == ("effusion", "finding", "nodule")
    a, b, c = download.items
    assert [(each.shape, each.label) for each in a.annotations] == [(Box(12, 40, 20.5, 15), 2), (Box(30, 8, 9, 6), 0)]
    assert [(each.shape, each.label) for each in b.annotations] == [(MaskFile("masks/2.png"), 2)]
    assert [(each.shape, each.label) for each in c.annotations] == [(Box(1, 2, 3, 4), 1)]
    assert {each.where for each in a.annotations} == {"pairs.csv: row 2"}
    assert [item.split for item in download.items] == ["train", "validation", "test"]
    assert b.findings == (("Edema", 1), ("Mass", 0), ("Scar", -1), ("Old", 1), ("New", 1))


def test_rows_of_one_id_are_a_study(tmp_path):
    rows = [pair(1, id="s", report=""), pair(2, id="t"), pair(3, id="s", patient="p1"), pair(4, id="s", patient="p1")]
    download = scan(write_pairs(tmp_path, rows))
    assert [(item.id, item.images) for item in download.items] == [
        ("s", ("films/1.png", "films/3.png", "films/4.png")),
        ("t", ("films/2.png",)),
    ]
    assert len(download.items[0].sentences) == 2
    assert flow_of(download)["further images of a study"] == (2, 2)


def test_reports_in_files(tmp_path):
    rows = [
        pair(1, report="", report_file="notes/1.txt"),
        pair(2, report="", report_file="notes/2.txt"),
        pair(3, report="", report_file="notes/3.txt"),
        pair(4, report="", report_file="../4.txt"),
        pair(5, report_file="notes/1.txt"),
    ]
    write_pairs(tmp_path / "d", rows)
    (tmp_path / "d" / "notes").mkdir()
    (tmp_path / "d" / "notes" / "1.txt").write_text("\ufeffÜberblähung. No effusion.", encoding="utf-8")
    (tmp_path / "d" / "notes" / "2.txt").write_bytes("Überblähung der Lunge.".encode("latin-1"))
    (tmp_path / "4.txt").write_text(REPORT)
    download = scan(tmp_path / "d")
    assert [item.sentences for item in download.items] == [("Überblähung.", "No effusion.")]
    assert told(download) == [
        "pairs.csv: row 3: the report file notes/2.txt is not UTF-8 text: save it as UTF-8",
        "pairs.csv: row 4: the report file notes/3.txt is not in the folder",
        "pairs.csv: row 5: the report file ../4.txt may lead out of the folder: write it relative to the folder, with "
        "/ but not ..",
        "pairs.csv: row 6: a report and a report_file: only one of them can be right",
    ]


@pytest.mark.parametrize(
    ("report", "sentences"),
    [
        ("FINDINGS: Clear lungs.\n\n IMPRESSION: Normal chest.", ("Clear lungs.", "Normal chest.")),
        ("FINAL REPORT\n INDICATION: Cough.\n\n IMPRESSION: Normal chest.", ("Normal chest.",)),
        ("EXAM: Chest.\n FINDINGS:\n Clear.\n IMPRESSION:\n No mass.\n No scar.", ("Clear.", "No mass.", "No scar.")),
        ("INDICATION: Cough. The lungs are clear.", ("INDICATION: Cough.", "The lungs are clear.")),
        ("Clear lungs. Normal heart.", ("Clear lungs.", "Normal heart.")),
    ],
)
def test_headings_choose_the_sections(tmp_path, report, sentences):
    assert scan(write_pairs(tmp_path, [pair(1, report=report)])).items[0].sentences == sentences


def test_short_reports_are_counted(tmp_path):
    rows = [pair(1), pair(2, report=""), pair(3, report="Normal."), pair(4, report="?")]
    download = scan(write_pairs(tmp_path, rows))
    assert download.problems == ()
    assert flow_of(download) == {
        "rows of pairs.csv": (0, 4),
        "row unusable": (0, 4),
        "further images of a study": (0, 4),
        "rows of a study contradict each other": (0, 4),
        "report shorter than 3 tokens": (3, 1),
    }


def test_problems_are_named_by_row(tmp_path):
    rows = [
        pair(1),
        pair(2, patient=""),
        pair(3, image=""),
        pair(4, image="films/4.bmp"),
        pair(5, image="films/1.png"),
        pair(6, split="holdout"),
        pair(7, boxes="1;2;3"),
        pair(8, boxes="1;2;0;4"),
        pair(9, boxes="1;2;3;4|5;6;7;nan"),
        pair(10, boxes="1;2;3;4|5;6;7;8|1;1;1;1", classes="a|b"),
        pair(11, classes="a"),
        pair(12, mask="masks/12.jpg"),
        pair(13, findings="Edema:2"),
        pair(14, findings="Edema|Edema:0"),
        pair(15, boxes="1;2;3;4|5;6;7;8", classes="a|b", mask="masks/15.png"),
    ]
    write_pairs(tmp_path, [row | {"split": row.get("split", "train")} for row in rows])
    (tmp_path / "films" / "4.bmp").touch()
    download = scan(tmp_path)
    assert told(download) == [
        "pairs.csv: row 3: no patient",
        "pairs.csv: row 4: no image",
        "pairs.csv: row 5: the image films/4.bmp is of an unknown kind: .png .jpg .jpeg .dcm .tif .tiff can be read",
        "pairs.csv: row 6: row 2 names the image films/1.png already",
        "pairs.csv: row 7: the split is none of train, validation and test",
        "pairs.csv: row 8: box 1 is not x;y;w;h",
        "pairs.csv: row 9: box 1 2 0 4 has no area: its width and height must be above 0",
        "pairs.csv: row 10: box 5 6 7 nan has coordinates that are not finite numbers",
        "pairs.csv: row 11: 2 classes for 3 boxes: one for each, or one for all",
        "pairs.csv: row 12: classes without boxes or mask",
        "pairs.csv: row 13: the mask masks/12.jpg is of an unknown kind: .png .tif .tiff can be read",
        "pairs.csv: row 14: entry 1 of findings is not <name>:<1, 0 or -1>",
        "pairs.csv: row 15: entry 2 of findings names the same as one before",
        "pairs.csv: row 16: a mask beside boxes of several classes: the mask of a row shows one class",
    ]
    assert [item.id for item in download.items] == ["films/1.png"]
    assert flow_of(download)["row unusable"] == (14, 1)


@pytest.mark.parametrize(
    "column", ["image", "mask", "report_file", "split", "boxes", "findings", "classes", "patient", "id"]
)
def test_a_report_in_the_wrong_column_is_not_repeated(tmp_path, column):
    secret = "Secret words of the heart. No effusion."
    rows = [pair(1, **{"report": ""} | {column: secret}), pair(2, patient="", id="b")]
    problems = "\n".join(told(scan(write_pairs(tmp_path, rows))))
    assert "row 3" in problems
    assert "Secret" not in problems


def test_studies_that_contradict_themselves(tmp_path):
    rows = [
        *(pair(1, id="a"), pair(2, id="a", patient="p1", report="Secret words here.")),
        *(pair(3, id="b"), pair(4, id="b")),
        *(pair(5, id="c", split="train"), pair(6, id="c", patient="p5", split="test")),
        *(pair(7, id="d"), pair(8, id="d", patient="p7", boxes="1;2;3;4")),
        *(pair(9, id="e", findings="Mass"), pair(10, id="e", patient="p9", findings="Mass:0")),
        pair(11, id="f", split=""),
        pair(12, id="g"),
    ]
    download = scan(write_pairs(tmp_path, [{"split": "train"} | row for row in rows]))
    assert [item.id for item in download.items] == ["g"]
    assert told(download) == [
        "pairs.csv: row 3: another report than in another row of the study that begins in row 2",
        "pairs.csv: row 5: another patient than in another row of the study that begins in row 4",
        "pairs.csv: row 7: another split than in another row of the study that begins in row 6",
        "pairs.csv: row 9: its study has 2 images: only studies of one image can have boxes or a mask",
        "pairs.csv: row 11: another findings than in another row of the study that begins in row 10",
        "pairs.csv: row 12: no split, although other rows have one: give all rows one, or none",
    ]
    assert flow_of(download)["rows of a study contradict each other"] == (6, 1)


def test_images_without_row_and_the_reverse(tmp_path):
    write_pairs(tmp_path, [pair(1), pair(2), pair(3, mask="masks/3.png")])
    (tmp_path / "films" / "2.png").unlink()
    (tmp_path / "films" / "3.png").unlink()
    for name in ("films/extra.jpg", "films/readme.md", ".hidden.png"):
        (tmp_path / name).touch()
    download = scan(tmp_path)
    assert told(download) == [
        "pairs.csv: row 3: the image films/2.png is not in the folder",
        "pairs.csv: row 4: the image films/3.png is not in the folder",
        "films/extra.jpg: no row of pairs.csv names this image",
    ]
    assert [item.id for item in download.items] == ["films/1.png"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("image,report", "row 1: no column patient; found: image, report"),
        ("patient,report", "row 1: no column image; found: patient, report"),
        ("image,patient", "row 1: no column report and no column report_file"),
        ("image;patient;report", "is it separated by semicolons"),
        ("image,image,patient,report", "column image occurs twice"),
        ("", "the table is empty"),
    ],
)
def test_tables_without_their_columns(tmp_path, header, said):
    row = ",".join("x" for _ in header.split(",")) if header else ""
    (tmp_path / "pairs.csv").write_text(f"{header}\n{row}\n")
    for read in (scan, read_labels):
        with pytest.raises(DataError, match=said):
            read(tmp_path)


def test_tables_that_are_damaged(tmp_path):
    write_pairs(tmp_path, [pair(1, report="Überblähung der Lunge.")], encoding="latin-1")
    with pytest.raises(DataError, match=r"pairs.csv: .* not UTF-8 text"):
        scan(tmp_path)
    (tmp_path / "pairs.csv").write_text('image,report,patient\nfilms/1.png,"never closed,p1\n')
    with pytest.raises(DataError, match="damaged table"):
        scan(tmp_path)


def test_wrong_folders(tmp_path):
    for read in (scan, read_labels):
        with pytest.raises(DataError, match="absent does not exist"):
            read(tmp_path / "absent")
        with pytest.raises(DataError, match=r"no pairs\.csv there, but nothing") as caught:
            read(tmp_path)
        assert all(line in str(caught.value) for line in DATA_SET.documented_layout)
    write_pairs(tmp_path / "inner", [pair(1)])
    with pytest.raises(DataError, match=r"did you mean .*inner"):
        scan(tmp_path)


def test_labels_need_no_images(tmp_path):
    rows = [
        pair(1, id="a", boxes="1;2;3;4|5;6;7;8", classes="x|y", findings="Edema"),
        pair(2, id="b", report="", mask="masks/2.png", classes="y"),
        pair(3, id="b", patient="p2"),
        pair(4, id="c", patient=""),
        pair(5, id="d", patient="p1"),
    ]
    write_pairs(tmp_path, rows)
    for path in (*(tmp_path / "films").iterdir(), *(tmp_path / "masks").iterdir()):
        path.unlink()
    labels = read_labels(tmp_path)
    assert labels.ids == ("a", "d")
    assert [str(problem) for problem in labels.problems] == [
        "pairs.csv: row 5: no patient",
        "pairs.csv: row 3: its study has 2 images: only studies of one image can have boxes or a mask",
    ]
    assert dict(labels.counts) == {
        "rows": 5,
        "studies": 2,
        "images": 2,
        "patients": 1,
        "reports": 2,
        "sentences": 4,
        "boxes and masks": 2,
        "studies with findings": 1,
        "boxes and masks of class x": 1,
        "boxes and masks of class y": 1,
    }


def test_boxes_and_masks_lie_where_they_were_drawn(tmp_path):
    """Nothing is mirrored or turned: 40 rows, 60 columns; a box at the upper right, a mask at the lower left."""
    image, mask = np.zeros((40, 60), dtype=np.uint8), np.zeros((40, 60), dtype=np.uint8)
    image[4:9, 42:57], image[30:38, 2:8], mask[30:38, 2:8] = 250, 120, 255
    write_pairs(tmp_path, [pair(1, boxes="42;4;15;5", classes="box"), pair(2, mask="m/2.png", classes="area")])
    for number in (1, 2):
        Image.fromarray(image).save(tmp_path / "films" / f"{number}.png")
    Image.fromarray(mask).save(tmp_path / "m" / "2.png")
    download = scan(tmp_path)
    recipe = Recipe(DATA_SET, tmp_path, 40, download.classes)
    boxed, masked = (decode_item(recipe, item).images[0] for item in download.items)
    assert download.classes == ("area", "box")
    assert np.array_equal(boxed.pixels, image)
    assert boxed.boxes.tolist() == [[42, 4, 15, 5]]
    assert boxed.labels.tolist() == [1]
    boxed_masks, masked_masks = (unpack_masks(each.mask_bits, 40, 60) for each in (boxed, masked))
    assert np.array_equal(boxed_masks[1], image == 250)
    assert not boxed_masks[0].any()
    assert np.array_equal(masked_masks[0], mask == 255)
    assert not masked_masks[1].any()
