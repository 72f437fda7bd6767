"""MIMIC-CXR: what is wrong with a download is named, all at once, and reports are never quoted."""

import gzip
import shutil

import pytest

from lovt_core.data.sources.mimic_cxr import read_labels, scan
from lovt_core.errors import DataError
from tests.core.data.sources.mimic_factory import (
    CHEXPERT,
    FILMS,
    METADATA,
    REPORT,
    SPLIT,
    Film,
    flow_of,
    problems_of,
    write_gzipped,
    write_mimic,
    write_reports,
)


def test_the_wrong_folder_is_told_what_was_expected(tmp_path):
    for read in (scan, read_labels):
        with pytest.raises(DataError, match="absent does not exist"):
            read(tmp_path / "absent")
        with pytest.raises(DataError, match=f"no {METADATA} and no {SPLIT} there") as caught:
            read(tmp_path)
        assert "files/p10/p10000032/s50414267/<dicom id>.jpg" in str(caught.value)
    write_mimic(tmp_path / "d")
    with pytest.raises(DataError, match=r"did you mean .*/d\?"):
        scan(tmp_path)
    shutil.rmtree(tmp_path / "d" / "files")
    with pytest.raises(DataError, match=r"no files there, but mimic-cxr-2\.0\.0-metadata\.csv\.gz, "):
        scan(tmp_path / "d")


def test_reports_that_are_nowhere(tmp_path):
    (write_mimic(tmp_path) / "mimic-cxr-reports.zip").unlink()
    with pytest.raises(DataError, match=r"no mimic-cxr-reports\.zip there"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("table", "column", "needed"),
    [(METADATA, "ViewPosition", "viewposition"), (SPLIT, "split", "split"), (CHEXPERT, "Edema", "edema")],
)
def test_missing_columns(tmp_path, table, column, needed):
    write_mimic(tmp_path, labels=[{"study_id": "50000001"}])
    text = gzip.decompress((tmp_path / table).read_bytes()).decode()
    (tmp_path / table).write_bytes(gzip.compress(text.replace(column, "other", 1).encode()))
    with pytest.raises(DataError, match=f"{table}: row 1: no column {needed}"):
        scan(tmp_path)


def test_images_that_the_metadata_names_and_the_reverse(tmp_path):
    write_mimic(tmp_path)
    (tmp_path / FILMS[3].file).unlink()
    (tmp_path / FILMS[1].file).unlink()
    shutil.rmtree(tmp_path / FILMS[4].study_folder)
    for name in (
        f"{FILMS[0].study_folder}/stranger.jpg",
        "files/p10/p10000032/s59999999/x.jpg",
        "files/p11/p11000007/s50000001/x.jpg",
        "files/p13/p13000000/.cache/x.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    download = scan(tmp_path)
    assert problems_of(download) == [
        f"{FILMS[3].file}: the image is missing; {METADATA} names it",
        f"{FILMS[0].study_folder}/stranger.jpg: no row of {METADATA} names this image",
        f"files/p10/p10000032/s59999999: no such study of this patient in {METADATA}",
        f"files/p11/p11000007/s50000001: no such study of this patient in {METADATA}",
        f"{FILMS[4].study_folder}: the folder of this study is missing, while others of the patient are there",
    ]
    assert flow_of(download)["image missing"] == (2, 3)
    assert [item.images for item in download.items] == [(FILMS[2].file,), (FILMS[0].file,), (FILMS[6].file,)]


def test_rows_of_the_metadata_that_are_no_images(tmp_path):
    write_mimic(tmp_path)
    rows = [film.row() for film in FILMS]
    bad = ({"dicom_id": "../../x"}, {"subject_id": "1"}, {"study_id": ""}, {"subject_id": "19999999"}, {})
    rows += [rows[0] | change for change in bad]
    write_gzipped(tmp_path / METADATA, rows[0], rows)
    download = scan(tmp_path)
    assert problems_of(download) == [
        f"{METADATA}: row 9: no DICOM id (small letters, digits, hyphens) in column dicom_id",
        f"{METADATA}: row 10: no number of eight digits in column subject_id",
        f"{METADATA}: row 11: no number of eight digits in column study_id",
        f"{METADATA}: row 12: study s50000002 belongs to p10000032 in an earlier row and to p19999999 here",
        f"{METADATA}: row 13: the image {FILMS[0].dicom} occurs a second time",
    ]
    assert flow_of(download)["row unusable"] == (5, 7)
    assert len(download.items) == 4


def test_splits_that_are_missing_unknown_or_contradictory(tmp_path):
    films = [
        Film(10000001, 50000001, split=None),
        Film(10000001, 50000002, split="training"),
        Film(10000001, 50000003, "PA", 0, "train"),
        Film(10000001, 50000003, "PA", 1, "test"),
        Film(10000001, 50000004, split="Test"),
    ]
    write_mimic(tmp_path, films)
    rows = [film.row() for film in films if film.split]
    write_gzipped(tmp_path / SPLIT, rows[0], [*rows, Film(10000009, 50000009).row(), Film(10000009, 50000008).row()])
    download = scan(tmp_path)
    assert problems_of(download) == [
        f"{SPLIT}: row 2: column split: train, validate or test is expected",
        f"{SPLIT}: row 4: study s50000003 is in another split than in an earlier row",
        f"{SPLIT}: no row for study s50000001",
        f"{SPLIT}: row 6: no study of {METADATA} for this row and 1 more",
    ]
    assert [(item.id, item.split) for item in download.items] == [("s50000004", "test")]
    assert flow_of(download)["split missing or contradictory"] == (3, 1)


def test_labels_that_are_no_labels(tmp_path):
    labels = [
        {"study_id": "50000001", "Edema": "yes"},
        {"study_id": "50000002", "Edema": "1.0"},
        {"study_id": "50000002", "Edema": "0.0"},
        {"study_id": "50999999"},
    ]
    download = scan(write_mimic(tmp_path, labels=labels))
    assert problems_of(download) == [
        f"{CHEXPERT}: row 2: a cell that is no label: 1.0, 0.0, -1.0 or nothing is expected",
        f"{CHEXPERT}: row 4: study s50000002 occurs a second time",
        f"{CHEXPERT}: row 5: no study of {METADATA} for this row",
    ]
    assert [item.findings for item in download.items[:2]] == [(), (("Edema", 1),)]


def test_reports_that_cannot_be_used_are_named_and_never_quoted(tmp_path):
    secret = REPORT.encode().replace(b"clear", b"cl\xe9ar")
    films = [Film(10000001, 50000001, report=secret), Film(10000001, 50000002), Film(10000001, 50000003, report=None)]
    write_mimic(tmp_path, films)
    extra = {
        "copy/" + films[1].study_folder + ".txt": REPORT,
        "files/p10/p10000002/s50000003.txt": REPORT,
        "files/p19/p19999999/s59999999.txt": REPORT,
    }
    write_reports(tmp_path / "mimic-cxr-reports.zip", films, extra)
    for found in (scan(tmp_path), read_labels(tmp_path)):
        assert problems_of(found) == [
            f"mimic-cxr-reports.zip: {films[0].study_folder}.txt: not UTF-8 text (byte {secret.index(0xE9)})",
            f"mimic-cxr-reports.zip: copy/{films[1].study_folder}.txt: a second report of this study",
            "mimic-cxr-reports.zip: files/p10/p10000002/s50000003.txt: the report lies in the folder of another "
            "patient",
        ]
        assert not any("Secret" in problem for problem in problems_of(found))
    download = scan(tmp_path)
    assert [item.id for item in download.items] == ["s50000002"]
    assert flow_of(download)["report unusable"] == (2, 1)


def test_hostile_and_damaged_archives(tmp_path):
    write_mimic(tmp_path)
    archive = tmp_path / "mimic-cxr-reports.zip"
    write_reports(archive, FILMS, {"../../escaped/s50000001.txt": "x"})
    with pytest.raises(DataError, match="leads out of the archive's folder"):
        scan(tmp_path)
    assert not (tmp_path.parent / "escaped").exists()
    write_reports(archive, FILMS)
    content = archive.read_bytes()
    for damaged in (content[:-100], content.replace(b"Secret", b"secret"), b"", b"<html>"):
        archive.write_bytes(damaged)
        with pytest.raises(DataError, match=r"mimic-cxr-reports\.zip: damaged archive") as caught:
            scan(tmp_path)
        assert "wording" not in str(caught.value)


def test_damaged_tables(tmp_path):
    write_mimic(tmp_path)
    content = (tmp_path / SPLIT).read_bytes()
    (tmp_path / SPLIT).write_bytes(content[:-20])
    with pytest.raises(DataError, match=f"{SPLIT}: after row .*: damaged archive"):
        scan(tmp_path)


def test_unpacked_reports_that_are_no_text(tmp_path):
    write_mimic(tmp_path)
    (tmp_path / "mimic-cxr-reports.zip").unlink()
    (tmp_path / f"{FILMS[0].study_folder}.txt").write_bytes(b"\xff\xfe")
    (tmp_path / f"{FILMS[4].study_folder}.txt").write_bytes(b" " * ((4 << 20) + 1))
    (tmp_path / f"{FILMS[6].study_folder}.txt").write_text(REPORT)
    download = scan(tmp_path)
    assert problems_of(download) == [
        f"{FILMS[0].study_folder}.txt: not UTF-8 text (byte 0)",
        f"{FILMS[4].study_folder}.txt: the file has more than 4 MiB: no report is that long",
    ]
    assert [item.id for item in download.items] == ["s50000005"]


@pytest.mark.parametrize("kind", ["metadata", "split"])
def test_a_folder_in_the_place_of_a_table(tmp_path, kind):
    (table,) = write_mimic(tmp_path).glob(f"mimic-cxr-2.0.0-{kind}.csv*")
    table.unlink()
    table.mkdir()
    with pytest.raises(DataError, match=rf"mimic-cxr-2\.0\.0-{kind}\.csv\.gz: cannot be read: Is a directory"):
        scan(tmp_path)
    table.rmdir()
    table.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=rf"no mimic-cxr-2\.0\.0-{kind}\.csv\.gz there, but"):
        scan(tmp_path)
