"""MIMIC-CXR: studies of a whole download and of a part of one, and everything that is dropped is counted."""

import gzip
import shutil
import zipfile

import pytest

from lovt_core.data.sources.mimic_cxr import load_excluded, read_labels, scan
from tests.core.data.sources.mimic_factory import (
    CHEXPERT,
    FILMS,
    METADATA,
    SENTENCES,
    SPLIT,
    Film,
    flow_of,
    write_mimic,
)


def test_one_sample_is_a_study_in_the_order_of_patients_and_studies(tmp_path):
    download = scan(write_mimic(tmp_path))
    assert [(item.patient, item.id) for item in download.items] == [
        ("p10000032", "s50000001"),
        ("p10000032", "s50000002"),
        ("p11000007", "s50000003"),
        ("p13000000", "s50000005"),
    ]
    assert download.items[0].images == (FILMS[2].file, FILMS[3].file)
    assert download.items[1].images == (FILMS[0].file,)
    assert {item.sentences for item in download.items} == {SENTENCES}
    assert [item.split for item in download.items] == ["train", "train", "validation", "test"]
    assert download.problems == ()
    assert download.tables == (METADATA, SPLIT, "mimic-cxr-reports.zip")
    assert all((tmp_path / file).is_file() for item in download.items for file in item.images)


def test_everything_that_is_dropped_is_counted(tmp_path):
    listed = int(min(load_excluded())[1:])
    bad = [
        Film(14000000, listed),
        Film(14000000, 50000010, report=None),
        Film(14000000, 50000011, report=" FINAL REPORT\n HISTORY:  Cough.\n \n Lungs are clear."),
        Film(14000000, 50000012, report=" FINAL REPORT\n FINDINGS: \n"),
        Film(14000000, 50000013, report=" FINAL REPORT\n IMPRESSION:  Normal.\n"),
        Film(14000000, 50000014, report=" FINAL REPORT\n IMPRESSION:  Normal chest.\n"),
    ]
    download = scan(write_mimic(tmp_path, (*FILMS, *bad)))
    assert flow_of(download) == {
        f"rows of {METADATA}": (0, 13),
        "row unusable": (0, 13),
        "not a frontal view (AP, PA)": (2, 11),
        "image not in this part of the download": (0, 11),
        "image missing": (0, 11),
        "further images of the same study: from here on studies are counted": (1, 10),
        "on the list of 54 excluded studies": (1, 9),
        "split missing or contradictory": (0, 9),
        "no report": (1, 8),
        "report unusable": (0, 8),
        "report with neither findings nor impression": (2, 6),
        "report shorter than 3 tokens": (1, 5),
        "no CheXpert table: studies have no findings": (0, 5),
    }
    assert download.problems == ()
    assert download.items[-1].id == "s50000014"


def test_findings_come_from_the_chexpert_table(tmp_path):
    labels = [
        {"study_id": "50000001", "Edema": "1.0", "Pneumonia": "-1.0", "Support Devices": "0.0"},
        {"study_id": "50000002", "No Finding": "1"},
    ]
    download = scan(write_mimic(tmp_path, labels=labels))
    findings = {item.id: item.findings for item in download.items}
    assert findings["s50000001"] == (("Edema", 1), ("Pneumonia", -1), ("Support Devices", 0))
    assert findings["s50000002"] == (("No Finding", 1),)
    assert findings["s50000003"] == ()
    assert CHEXPERT in download.tables
    assert "no CheXpert table: studies have no findings" not in flow_of(download)


def test_a_part_of_the_download_grows(tmp_path):
    """Patients that are not there are counted, and found once they are added."""
    write_mimic(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "part", ignore=shutil.ignore_patterns("p11", "p12", "p13"))
    download = scan(tmp_path / "part")
    assert [item.id for item in download.items] == ["s50000001", "s50000002"]
    assert download.problems == ()
    assert flow_of(download)["image not in this part of the download"] == (2, 3)
    shutil.copytree(tmp_path / "whole" / "files" / "p11", tmp_path / "part" / "files" / "p11")
    download = scan(tmp_path / "part")
    assert [item.id for item in download.items] == ["s50000001", "s50000002", "s50000003"]
    assert flow_of(download)["image not in this part of the download"] == (1, 4)


def test_a_patient_that_has_reports_only_is_another_part(tmp_path):
    write_mimic(tmp_path)
    with zipfile.ZipFile(tmp_path / "mimic-cxr-reports.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "mimic-cxr-reports.zip").unlink()
    shutil.rmtree(tmp_path / FILMS[4].study_folder)
    download = scan(tmp_path)
    assert [item.id for item in download.items] == ["s50000001", "s50000002", "s50000005"]
    assert {item.sentences for item in download.items} == {SENTENCES}
    assert download.problems == ()
    assert flow_of(download)["image not in this part of the download"] == (1, 4)


@pytest.mark.parametrize("folder", ["mimic-cxr-reports", "mimic-cxr-reports/files/.."])
def test_reports_unpacked_in_their_own_folder(tmp_path, folder):
    whole = scan(write_mimic(tmp_path))
    with zipfile.ZipFile(tmp_path / "mimic-cxr-reports.zip") as archive:
        archive.extractall(tmp_path / "mimic-cxr-reports")
    if folder == "mimic-cxr-reports":
        for group in (tmp_path / "mimic-cxr-reports" / "files").iterdir():
            group.rename(tmp_path / "mimic-cxr-reports" / group.name)
        (tmp_path / "mimic-cxr-reports" / "files").rmdir()
    (tmp_path / "mimic-cxr-reports.zip").unlink()
    assert scan(tmp_path).items == whole.items
    assert read_labels(tmp_path).counts[-1] == ("sentences", 20)


def test_unzipped_tables_and_another_version(tmp_path):
    whole = scan(write_mimic(tmp_path))
    for kind in ("metadata", "split"):
        packed = tmp_path / f"mimic-cxr-2.0.0-{kind}.csv.gz"
        (tmp_path / f"mimic-cxr-2.1.0-{kind}.csv").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    download = scan(tmp_path)
    assert download.items == whole.items
    assert download.tables == (
        "mimic-cxr-2.1.0-metadata.csv",
        "mimic-cxr-2.1.0-split.csv",
        "mimic-cxr-reports.zip",
    )


def test_labels_need_no_images(tmp_path):
    write_mimic(tmp_path, labels=[{"study_id": "50000001", "Edema": "1.0"}, {"study_id": "50000002"}])
    shutil.rmtree(tmp_path / "files")
    labels = read_labels(tmp_path)
    assert dict(labels.counts) == {
        "images": 7,
        "frontal images (AP, PA)": 5,
        "patients": 4,
        "studies": 5,
        "studies with a frontal image": 4,
        "studies for training": 3,
        "studies for validation": 1,
        "studies for test": 1,
        "studies with CheXpert labels": 1,
        "reports": 5,
        "reports with findings": 5,
        "reports with impression": 5,
        "reports with either": 5,
        "sentences": 20,
    }
    assert labels.ids == ("s50000002", "s50000001", "s50000003", "s50000004", "s50000005")
    assert labels.problems == ()
    (tmp_path / "mimic-cxr-reports.zip").unlink()
    assert dict(read_labels(tmp_path).counts).keys().isdisjoint({"reports", "sentences"})


def test_the_list_of_excluded_studies():
    assert len(load_excluded()) == 54
    assert all(id_[0] == "s" and id_[1:].isdigit() and len(id_) == 9 for id_ in load_excluded())
