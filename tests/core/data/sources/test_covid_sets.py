"""What each source finds in a download, and what it says of a bad one."""

import os

import pytest
from PIL import Image

from lovt_core.data.annotations.shapes import MaskFile
from lovt_core.data.catalog import DATA_SETS, find_data_set, scan_download
from lovt_core.data.reports.text import split_sentences
from lovt_core.errors import DataError
from tests.core.data.factories import NOTE, note_row, rural_stem, write_chestxray, write_rural, write_table


def scan(name, folder):
    return scan_download(find_data_set(name), folder)


def flow_of(download):
    return {step.what: (step.dropped, step.kept) for step in download.flow}


def test_pairs(tmp_path):
    download = scan("covid-chestxray", write_chestxray(tmp_path, 4))
    assert [item.id for item in download.items] == [f"film-{number}.png" for number in range(4)]
    assert download.items[3].patient == "p1"
    assert download.items[3].images == ("images/film-3.png",)
    assert download.items[3].sentences == (*split_sentences(NOTE), "Film 3.")
    assert download.problems == ()


def test_protocol_drops_other_modalities_views_and_short_notes(tmp_path):
    changes = (
        {},
        {"modality": "CT"},
        {"view": "L"},
        {"view": "AP Supine"},
        {"view": "ap semi-erect"},
        {"clinical notes": ""},
        {"clinical notes": "pneumonia"},
        {"clinical notes": "bilateral infiltrates"},
        {"clinical notes": "bilateral infiltrates."},
    )
    rows = [note_row(number, **change) for number, change in enumerate(changes)]
    download = scan("covid-chestxray", write_chestxray(tmp_path, rows))
    assert [item.id for item in download.items] == [f"film-{number}.png" for number in (0, 3, 4, 8)]
    assert flow_of(download) == {
        "rows of metadata.csv": (0, 9),
        "not an X-ray": (1, 8),
        "not a frontal view (PA, AP)": (1, 7),
        "clinical note shorter than 3 tokens": (3, 4),
        "image or patient missing": (0, 4),
        "named more than once": (0, 4),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_notes_with_line_breaks_and_byte_order_mark(tmp_path, encoding):
    rows = [note_row(0, **{"clinical notes": 'Fever, cough.\r\nSo-called "crazy paving"\non the left.'}), note_row(1)]
    download = scan("covid-chestxray", write_chestxray(tmp_path, rows, encoding=encoding))
    assert download.items[0].sentences == ("Fever, cough.", 'So-called "crazy paving" on the left.')
    assert len(download.items) == 2


def test_newer_releases_spell_columns_otherwise(tmp_path):
    write_chestxray(tmp_path, 2)
    table = (tmp_path / "metadata.csv").read_text()
    (tmp_path / "metadata.csv").write_text(
        table.replace("Patientid", "patientid").replace("clinical notes", "clinical_notes")
    )
    assert len(scan("covid-chestxray", tmp_path).items) == 2


def test_problems_of_pairs_are_named_by_row(tmp_path):
    rows = [note_row(0), note_row(1, Patientid=""), note_row(2), note_row(3), note_row(4, filename="film-0.png")]
    write_chestxray(tmp_path, rows)
    write_table(tmp_path / "metadata.csv", [*rows, note_row(5, filename="")])
    (tmp_path / "images" / "film-2.png").unlink()
    download = scan("covid-chestxray", tmp_path)
    assert [str(problem) for problem in download.problems] == [
        "metadata.csv: row 3: no patient in column Patientid",
        "metadata.csv: row 4: the image film-2.png is not in the folder images",
        "metadata.csv: row 7: the image (nothing) is not in the folder images",
        "images/film-0.png: the id film-0.png occurs 2 times: name it once",
    ]
    assert [item.id for item in download.items] == ["film-0.png", "film-3.png"]
    assert flow_of(download)["named more than once"] == (1, 2)


def test_a_file_name_never_leads_out_of_the_download(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "outside.png")
    download = scan("covid-chestxray", write_chestxray(tmp_path / "d", [note_row(0, filename="../../outside.png")]))
    assert not download.items
    assert "is not in the folder images" in str(download.problems[0])


def test_images_with_masks(tmp_path):
    download = scan("covid-rural", write_rural(tmp_path, 4))
    assert [item.id for item in download.items] == [rural_stem(number) for number in range(4)]
    assert [item.patient for item in download.items] == ["COVID-19-AR-16400000"] * 2 + ["COVID-19-AR-16400001"] * 2
    assert [each.shape for each in download.items[0].annotations] == [MaskFile(f"pngs_masks/{rural_stem(0)}.png")]


def test_problems_of_masks_are_named(tmp_path):
    write_rural(tmp_path, 3)
    (tmp_path / "pngs_masks" / f"{rural_stem(0)}.png").rename(tmp_path / "pngs_masks" / "other_one.png")
    (tmp_path / "jpgs" / f"{rural_stem(1)}.jpg").rename(tmp_path / "jpgs" / "nameless.jpg")
    (tmp_path / "jpgs" / ".hidden.jpg").touch()
    download = scan("covid-rural", tmp_path)
    assert [str(problem) for problem in download.problems] == [
        f"jpgs/{rural_stem(0)}.jpg: no mask pngs_masks/{rural_stem(0)}.png",
        "jpgs/nameless.jpg: the name does not tell the patient: <patient>_<date>-XR.jpg is expected",
        f"pngs_masks/{rural_stem(1)}.png: no image of that name in jpgs",
        "pngs_masks/other_one.png: no image of that name in jpgs",
    ]
    assert [item.id for item in download.items] == [rural_stem(2)]


def test_folder_without_images(tmp_path):
    write_rural(tmp_path, 0)
    with pytest.raises(DataError, match=r"jpgs: no \.jpg file there"):
        scan("covid-rural", tmp_path)


@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.name)
def test_wrong_folders_are_told_what_was_expected(tmp_path, data_set):
    with pytest.raises(DataError, match="absent does not exist: give the folder of the download as --source"):
        scan_download(data_set, tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file is not a folder"):
        scan_download(data_set, tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        scan_download(data_set, tmp_path / "empty")
    assert "there, but nothing" in str(caught.value)
    assert all(line in str(caught.value) for line in data_set.documented_layout)


def test_the_folder_above_is_recognised(tmp_path):
    write_rural(tmp_path / "dataset", 2)
    with pytest.raises(DataError, match=r"did you mean .*/dataset\?"):
        scan("covid-rural", tmp_path)


def test_a_file_where_a_folder_should_be(tmp_path):
    write_table(tmp_path / "metadata.csv", [note_row(0)])
    (tmp_path / "images").touch()
    with pytest.raises(DataError, match="images: cannot be read: Not a directory"):
        scan("covid-chestxray", tmp_path)


def test_a_name_that_is_no_text(tmp_path):
    write_rural(tmp_path, 1)
    for folder, suffix in ((b"jpgs", b"jpg"), (b"pngs_masks", b"png")):
        (tmp_path / os.fsdecode(folder) / os.fsdecode(b"p\xe9_1." + suffix)).touch()
    download = scan("covid-rural", tmp_path)
    (problem,) = download.problems
    assert str(problem) == "jpgs/p\\udce9_1.jpg: the name is not UTF-8 text: rename the file and its mask"
    assert [item.id for item in download.items] == [rural_stem(0)]
