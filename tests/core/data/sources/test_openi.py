"""Downloads of NLM Open-i: reports with their images, what is found, what is refused."""

import csv
import re
import shlex
import subprocess

import pytest
from PIL import Image

from lovt_core.data.sources.openi import DATA_SET, read_labels, scan
from lovt_core.errors import DataError
from tests.core.data.factories import draw_film
from tests.core.data.sources.openi_factory import flow_of, pack, report_xml, told, write_download


def write_views(root, rows):
    with (root / "indiana_projections.csv").open("w", newline="") as file:
        csv.writer(file).writerows((("uid", "filename", "projection"), *rows))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("images_at", ["NLMCXR_png", "."])
def test_studies(tmp_path, packed, images_at):
    download = scan(write_download(tmp_path, packed=packed, images_at=images_at))
    assert [item.id for item in download.items] == ["CXR1", "CXR2", "CXR30"]
    item = download.items[2]
    start = "" if images_at == "." else "NLMCXR_png/"
    assert item.images == (f"{start}CXR30_IM-0001-1001.png", f"{start}CXR30_IM-0001-2001.png")
    assert item.patient == "CXR30"
    assert item.sentences == ("The heart is XXXX.", "No effusion.", "Normal chest x-XXXX.")
    assert download.problems == ()
    assert download.tables == (("NLMCXR_reports.tgz",) if packed else ())


def test_reports_that_cannot_serve_are_counted(tmp_path):
    members = {
        "1.xml": report_xml(1),
        "2.xml": report_xml(2, images=()),
        "3.xml": report_xml(3, findings="", impression=""),
        "4.xml": report_xml(4, findings="", impression="Normal"),
        "5.xml": report_xml(5, findings="XXXX, XXXX. XXXX/XXXX.", impression=""),
        "6.xml": report_xml(6, findings=""),
    }
    download = scan(write_download(tmp_path, members))
    assert [item.id for item in download.items] == ["CXR1", "CXR6"]
    assert download.problems == ()
    assert flow_of(download) == {
        "reports of NLMCXR_reports.tgz": (0, 6),
        "report unreadable or repeated": (0, 6),
        "without images": (1, 5),
        "neither findings nor impression": (1, 4),
        "report shorter than 3 tokens": (2, 2),
        "frontal and lateral views are kept: there is no indiana_projections.csv to tell them apart": (0, 2),
        "no image there": (0, 2),
    }


def test_views_of_the_companion_table(tmp_path):
    members = {
        "1.xml": report_xml(1, images=("1_IM-0001-3001", "1_IM-0001-4001")),
        "2.xml": report_xml(2),
        "3.xml": report_xml(3, images=("IM-0003-1001",)),
        "4.xml": report_xml(4, images=("IM-0004-1001", "IM-0004-2001")),
    }
    write_download(tmp_path, members)
    write_views(
        tmp_path,
        [
            ("1", "1_IM-0001-4001.dcm.png", "Frontal"),
            ("1", "1_IM-0001-3001.dcm.png", "Lateral"),
            ("2", "2_IM-0001-1001.dcm.png", "Frontal"),
            ("2", "2_IM-0001-2001.dcm.png", "Frontal"),
            ("3", "3_IM-0003-1001.dcm.png", "Lateral"),
            ("4", "4_IM-0004-2001.dcm.png", "frontal"),
        ],
    )
    (tmp_path / "NLMCXR_png" / "CXR1_1_IM-0001-3001.png").unlink()  # a lateral view is not needed
    download = scan(tmp_path)
    assert [item.images for item in download.items] == [
        ("NLMCXR_png/CXR1_1_IM-0001-4001.png",),
        ("NLMCXR_png/CXR2_IM-0001-1001.png", "NLMCXR_png/CXR2_IM-0001-2001.png"),
        ("NLMCXR_png/CXR4_IM-0004-2001.png",),
    ]
    assert download.problems == ()
    assert flow_of(download)["no frontal view (1 images are not in indiana_projections.csv)"] == (1, 3)
    assert download.tables == ("NLMCXR_reports.tgz", "indiana_projections.csv")


def test_a_table_of_views_of_another_collection(tmp_path):
    write_views(write_download(tmp_path), [("1", "another.png", "Frontal")])
    with pytest.raises(DataError, match="it names none of the images"):
        scan(tmp_path)


def test_views_that_are_none_are_told_with_everything_else(tmp_path):
    names = [path.name.removeprefix("CXR") for path in sorted((write_download(tmp_path) / "NLMCXR_png").iterdir())]
    views = ["sideways", *["Frontal"] * (len(names) - 2), "oblique"]
    write_views(tmp_path, [(name[0], name, view) for name, view in zip(names, views, strict=True)])
    expected = [
        "indiana_projections.csv: row 2: the projection 'sideways' is neither Frontal nor Lateral",
        f"indiana_projections.csv: row {len(names) + 1}: the projection 'oblique' is neither Frontal nor Lateral",
    ]
    assert [str(problem) for problem in scan(tmp_path).problems] == expected
    assert [str(problem) for problem in read_labels(tmp_path).problems] == expected


def test_images_without_report_and_the_reverse(tmp_path):
    members = {"1.xml": report_xml(1), "2.xml": report_xml(2), "3.xml": report_xml(3, images=("../../outside",))}
    write_download(tmp_path / "d", members)
    Image.fromarray(draw_film(1)).save(tmp_path / "outside.png")
    (tmp_path / "d" / "NLMCXR_png" / "CXR1_IM-0001-2001.png").unlink()
    for name in ("CXR9_IM-0001-1001.png", ".hidden.png"):
        Image.fromarray(draw_film(1)).save(tmp_path / "d" / "NLMCXR_png" / name)
    download = scan(tmp_path / "d")
    assert told(download) == [
        "NLMCXR_png/CXR9_IM-0001-1001.png: no report names this image",
        "NLMCXR_reports.tgz: ecgen-radiology/1.xml: the image CXR1_IM-0001-2001.png is not in NLMCXR_png/",
        "NLMCXR_reports.tgz: ecgen-radiology/3.xml: the image CXR3_../../outside.png is not in NLMCXR_png/",
    ]
    assert [item.images for item in download.items] == [
        ("NLMCXR_png/CXR1_IM-0001-1001.png",),
        ("NLMCXR_png/CXR2_IM-0001-1001.png", "NLMCXR_png/CXR2_IM-0001-2001.png"),
    ]
    assert flow_of(download)["no image there"] == (1, 2)


def test_packed_images_are_told_how_to_unpack(tmp_path):
    root = write_download(tmp_path / "my data")
    images = sorted((root / "NLMCXR_png").iterdir())
    pack(root / "NLMCXR_png.tgz", {path.name: path.read_bytes() for path in images})
    for path in images:
        path.unlink()
    (root / "NLMCXR_png").rmdir()
    with pytest.raises(DataError) as caught:
        scan(root)
    command = str(caught.value).partition("the images are still packed: ")[2]
    for part in command.split(" && "):
        subprocess.run(shlex.split(part), check=True)
    assert len(scan(root).items) == 3


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ((), "no NLMCXR_reports.tgz and no NLMCXR_png there, but nothing"),
        (("NLMCXR_png.tgz",), "no NLMCXR_reports.tgz and no NLMCXR_png there, but NLMCXR_png.tgz"),
        (("NLMCXR_reports.tgz",), "no NLMCXR_png there, but NLMCXR_reports.tgz"),
        (("image.png",), "no NLMCXR_reports.tgz there, but image.png"),
    ],
)
def test_a_wrong_folder(tmp_path, present, missing):
    for name in present:
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=re.escape(missing)) as caught:
        scan(tmp_path)
    assert all(line in str(caught.value) for line in DATA_SET.documented_layout)


def test_wrong_places(tmp_path):
    for read in (scan, read_labels):
        with pytest.raises(DataError, match="absent does not exist"):
            read(tmp_path / "absent")
    with pytest.raises(DataError, match=r"no NLMCXR_reports.tgz there"):
        read_labels(tmp_path)
    write_download(tmp_path / "inner")
    with pytest.raises(DataError, match=r"did you mean .*inner"):
        scan(tmp_path)
    for path in (tmp_path / "inner" / "NLMCXR_png").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"NLMCXR_png: no \.png file there"):
        scan(tmp_path / "inner")


def test_labels_need_no_images(tmp_path):
    members = {"10.xml": report_xml(10), "9.xml": report_xml(9, images=(), findings=""), "8.xml": b"<"}
    write_download(tmp_path, members)
    for path in (tmp_path / "NLMCXR_png").iterdir():
        path.unlink()
    labels = read_labels(tmp_path)
    assert labels.ids == ("CXR9", "CXR10")
    assert dict(labels.counts) == {
        "reports": 2,
        "images": 2,
        "reports without images": 1,
        "reports with findings": 1,
        "reports with impression": 2,
        "reports with either": 2,
        "sentences": 4,
        "marks XXXX": 4,
        "reports with marks XXXX": 2,
    }
    assert len(labels.problems) == 1
