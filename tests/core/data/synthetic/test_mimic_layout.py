"""The synthetic MIMIC-CXR download: original columns and names, reproducible, with studies of every kind."""

import csv
import gzip
import io
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lovt_core.config.methods import CHEXPERT_LABELS
from lovt_core.data.reports.sections import find_sections
from lovt_core.data.sources.mimic_cxr import load_excluded, read_labels, scan
from lovt_core.data.synthetic.layouts import mimic_cxr
from lovt_core.data.synthetic.patients import Film, plan_films

METADATA, SPLIT, CHEXPERT = (f"mimic-cxr-2.0.0-{kind}.csv.gz" for kind in ("metadata", "split", "chexpert"))
REPORTS = "mimic-cxr-reports.zip"


def plan(count: int, seed: int = 0) -> list[Film]:
    return list(plan_films(count, seed, 11, 48))


def make(root: Path, films: list[Film], *, backwards: bool = False) -> Path:
    """A download; `backwards` writes the films in another order."""
    root.mkdir()
    order = films[::-1] if backwards else films
    rows = {film.index: mimic_cxr.write_film(root, film) for film in order}
    mimic_cxr.finish(root, [rows[film.index] for film in films])
    return root


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode(), newline="")))


@pytest.fixture(scope="module")
def films() -> list[Film]:
    return plan(260)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, films: list[Film]) -> Path:
    return make(tmp_path_factory.mktemp("mimic") / "d", films)


def test_bytes_depend_on_the_request_alone(tmp_path: Path) -> None:
    once, again = make(tmp_path / "a", plan(20)), make(tmp_path / "b", plan(20), backwards=True)
    assert content_of(once) == content_of(again)


def test_more_films_begin_alike_and_another_seed_shares_no_image(tmp_path: Path) -> None:
    few, more, other = (
        {name: content for name, content in content_of(folder).items() if name.endswith(".jpg")}
        for folder in (
            make(tmp_path / "few", plan(12)),
            make(tmp_path / "more", plan(20)),
            make(tmp_path / "other", plan(12, seed=1)),
        )
    )
    assert few.items() <= more.items()
    assert len(set(few.values())) == len(few)
    assert not set(few.values()) & set(other.values())


def test_tables_have_the_columns_of_the_original(folder: Path) -> None:
    assert ",".join(read_rows(folder / METADATA)[0]) == (
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
        "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
    )
    assert ",".join(read_rows(folder / SPLIT)[0]) == "dicom_id,study_id,subject_id,split"
    assert tuple(read_rows(folder / CHEXPERT)[0]) == ("subject_id", "study_id", *CHEXPERT_LABELS)
    assert {value for row in read_rows(folder / CHEXPERT) for value in list(row.values())[2:]} == {
        "1.0",
        "0.0",
        "-1.0",
        "",
    }


def test_every_row_has_its_image_and_the_reverse(folder: Path) -> None:
    rows = read_rows(folder / METADATA)
    named = {
        f"files/p{row['subject_id'][:2]}/p{row['subject_id']}/s{row['study_id']}/{row['dicom_id']}.jpg": row
        for row in rows
    }
    assert len(named) == len(rows)
    assert named.keys() == {str(path.relative_to(folder)) for path in folder.rglob("*.jpg")}
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}", row["dicom_id"]) for row in rows)
    assert len({row["subject_id"][:2] for row in rows}) == 10
    for file, row in list(named.items())[:40]:
        with Image.open(folder / file) as image:
            assert (image.mode, image.size) == ("L", (int(row["Columns"]), int(row["Rows"])))


def test_a_source_finds_every_kind_of_study(folder: Path, films: list[Film]) -> None:
    download = scan(folder)
    assert download.problems == ()
    flow = {step.what: step.dropped for step in download.flow}
    for step in (
        "not a frontal view (AP, PA)",
        "further images of the same study: from here on studies are counted",
        "on the list of 54 excluded studies",
        "report with neither findings nor impression",
        "report shorter than 3 tokens",
    ):
        assert flow[step] > 0, step
    assert flow["on the list of 54 excluded studies"] == 1
    assert len(download.items) > 0.8 * len(films)
    assert Counter(len(item.images) for item in download.items).keys() == {1, 2}
    parts = Counter(item.split for item in download.items)
    assert min(parts["validation"], parts["test"]) > 0.05 * len(films)
    split_of = {(item.patient, item.split) for item in download.items}
    assert len(split_of) == len({item.patient for item in download.items})


def test_small_downloads_have_all_three_parts_and_an_excluded_study(tmp_path: Path) -> None:
    folder = make(tmp_path / "d", plan(16))
    assert {row["split"] for row in read_rows(folder / SPLIT)} == {"train", "validate", "test"}
    assert f"s{mimic_cxr.LISTED_STUDY}" in load_excluded()
    assert str(mimic_cxr.LISTED_STUDY) in {row["study_id"] for row in read_rows(folder / METADATA)}


def test_reports_say_what_the_films_show(folder: Path, films: list[Film]) -> None:
    sentences = {item.id: item.sentences for item in scan(folder).items}
    ids = {f"s{mimic_cxr.number_study(film)}": film for film in films}
    assert len(sentences) > 200
    for id_, found in sentences.items():
        assert sorted(set(found)) == sorted(set(ids[id_].build().report))


def test_reports_have_the_styles_of_the_original(folder: Path) -> None:
    with zipfile.ZipFile(folder / REPORTS) as archive:
        names = archive.namelist()
        texts = [archive.read(name).decode() for name in names]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names == sorted(names)
    assert all(re.fullmatch(r"files/p1\d/p1\d{7}/s5\d{7}\.txt", name) for name in names)
    assert all(text.isascii() and "FINAL REPORT\n" in text and text.endswith("\n") for text in texts)
    assert max(len(line) for text in texts for line in text.splitlines()) <= 80
    found = Counter(
        (bool(sections.findings), bool(sections.impression)) if sections else None
        for sections in map(find_sections, texts)
    )
    assert found.keys() == {(True, True), (True, False), (False, True), None}
    assert found[True, True] > found[False, True] > found[True, False]
    assert any(text.startswith(" WET READ:") for text in texts)
    assert any("\n 2.  " in text for text in texts)


def test_labels_agree_with_the_films(folder: Path, films: list[Film]) -> None:
    labels = {f"s{row['study_id']}": row for row in read_rows(folder / CHEXPERT)}
    seen: Counter[str] = Counter()
    for film in films:
        kinds = {finding.kind for finding in film.build().findings}
        row = labels[f"s{mimic_cxr.number_study(film)}"]
        assert (row["No Finding"] == "1.0") == (not kinds)
        assert (row["Pneumothorax"] == "1.0") == ("pneumothorax" in kinds)
        assert (row["Pneumonia"] in ("1.0", "-1.0")) == ("pneumonia" in kinds)
        seen[row["Pneumonia"]] += 1
    assert seen.keys() == {"1.0", "-1.0", "0.0", ""}


def test_a_second_frontal_film_is_another_exposure_of_the_same_body(folder: Path) -> None:
    pairs = [item.images for item in scan(folder).items if len(item.images) == 2]
    for first, second in pairs:
        one, two = (np.asarray(Image.open(folder / file), dtype=float) for file in (first, second))
        assert one.shape == two.shape
        assert 0.5 < np.corrcoef(one.ravel(), two.ravel())[0, 1] < 0.9999


def test_labels_are_counted(folder: Path, films: list[Film]) -> None:
    counts = dict(read_labels(folder).counts)
    assert counts["studies"] == counts["reports"] == len(films)
    assert counts["images"] == len(read_rows(folder / METADATA))
