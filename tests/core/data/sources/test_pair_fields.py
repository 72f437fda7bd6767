"""Cells of `pairs.csv`: names of files that lead out of the folder, boxes, classes, findings, splits."""

import pytest
from PIL import Image

from lovt_core.data.sources.pair_fields import CellError, parse_findings, parse_marks, parse_split
from lovt_core.data.sources.paired_csv import scan
from tests.core.data.factories import draw_film
from tests.core.data.sources.pairs_factory import pair, told, write_pairs


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "films/../../outside.png",
        "/etc/outside.png",
        r"films\1.png",
        "C:/films/1.png",
        "films/..",
        "..",
    ],
)
def test_names_that_lead_out(tmp_path, name):
    Image.fromarray(draw_film(1)).save(tmp_path / "outside.png")
    for column in ("image", "mask", "report_file"):
        changes = {"report": ""} if column == "report_file" else {}
        write_pairs(tmp_path / column, [pair(1, **changes, **{column: name})])
        download = scan(tmp_path / column)
        assert "may lead out of the folder" in told(download)[0]
        assert not download.items


def test_links_that_lead_out(tmp_path):
    write_pairs(tmp_path / "d", [pair(1), pair(2), pair(3)])
    Image.fromarray(draw_film(1)).save(tmp_path / "outside.png")
    (tmp_path / "elsewhere").mkdir()
    films = tmp_path / "d" / "films"
    films.joinpath("1.png").unlink()
    films.joinpath("1.png").symlink_to(tmp_path / "outside.png")
    films.joinpath("2.png").rename(films / "real.png")
    films.joinpath("2.png").symlink_to("real.png")
    (tmp_path / "d" / "linked").symlink_to(tmp_path / "elsewhere")
    download = scan(tmp_path / "d")
    assert told(download) == [
        "pairs.csv: row 2: the image films/1.png is a link that leads out of the folder: copy the file",
        "films/real.png: no row of pairs.csv names this image",
    ]
    assert [item.id for item in download.items] == ["films/2.png", "films/3.png"]


def test_a_name_in_another_spelling_is_the_same_file(tmp_path):
    write_pairs(tmp_path, [pair(1)])
    write_pairs(tmp_path, [pair(1, image="./films//1.png"), pair(1)])
    assert told(scan(tmp_path)) == ["pairs.csv: row 3: row 2 names the image films/1.png already"]


def test_a_nul_in_a_name(tmp_path):
    write_pairs(tmp_path, [pair(1, image="films/\0.png"), pair(2)])
    assert len(told(scan(tmp_path))) == 1


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (("", "", ""), []),
        (("1;2;3;4", "", ""), ["finding"]),
        ((" 1; 2 ;3;4 | 5;6;7;8 ", "", "a | b"), ["a", "b"]),
        (("1;2;3;4|5;6;7;8", "", "a"), ["a", "a"]),
        (("", "m.png", ""), ["finding"]),
        (("", "m.png", "a"), ["a"]),
        (("1;2;3;4|5;6;7;8", "m.png", "a|a"), ["a", "a", "a"]),
    ],
)
def test_classes_of_marks(cells, names):
    assert [mark.class_name for mark in parse_marks(*cells)] == names


@pytest.mark.parametrize(
    "cells",
    [("1;2;3;4|", "", ""), ("|", "", ""), ("", "m.png", "a|b"), ("1;2;3;4", "", "|"), ("1,2,3,4", "", "")],
)
def test_marks_that_are_refused(cells):
    with pytest.raises(CellError):
        parse_marks(*cells)


def test_cells():
    assert parse_split("") is None
    assert {parse_split(word) for word in ("val", "VALID", "dev", "validation")} == {"validation"}
    assert parse_findings("Lung: base:-1") == (("Lung: base", -1),)
    with pytest.raises(CellError):
        parse_findings("Edema|")
