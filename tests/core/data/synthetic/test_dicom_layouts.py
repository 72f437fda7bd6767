"""RSNA and SIIM layouts: DICOM files and tables as the originals', and marks where the findings are."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from lovt_core.data.annotations.run_lengths import decode_runs, find_fault
from lovt_core.data.annotations.shapes import Box, RunLengths
from lovt_core.data.images.loading import load_image
from lovt_core.data.sources import rsna as rsna_source
from lovt_core.data.sources import siim as siim_source
from lovt_core.data.split_lists import load_published
from lovt_core.data.synthetic.dicom_file import Header, write_dicom
from lovt_core.data.synthetic.layouts import rsna, siim
from lovt_core.data.synthetic.layouts.layout import Layout
from lovt_core.data.synthetic.patients import Film, plan_films
from lovt_core.data.synthetic.scene import Case
from tests.core.data.images.dicom_factory import build_dataset

LAYOUTS = {"rsna": Layout(rsna.write_film, rsna.finish), "siim": Layout(siim.write_film, siim.finish)}
SOURCES = {"rsna": rsna_source, "siim": siim_source}
COUNT, SIZE, STREAM = 120, 48, 7


def make(folder: Path, name: str, films: list[Film]) -> Path:
    """A small download; films may come in any order."""
    folder.mkdir(parents=True)
    rows = {film.index: LAYOUTS[name].write_film(folder, film) for film in films}
    LAYOUTS[name].finish(folder, [rows[index] for index in sorted(rows)])
    return folder


def plan(count: int = COUNT, seed: int = 0) -> list[Film]:
    """Films to make."""
    return list(plan_films(count, seed, STREAM, SIZE))


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both, whole."""
    root = tmp_path_factory.mktemp("downloads")
    return {name: make(root / name, name, plan()) for name in LAYOUTS}


def build(index: int) -> Case:
    """What film `index` shows: every film is a patient of its own."""
    return replace(plan()[index], patient=index, follow_up=0).build()


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_films_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    films = plan(12)
    forwards, backwards = make(tmp_path / "a", name, films), make(tmp_path / "b", name, films[::-1])
    assert content_of(forwards) == content_of(backwards)
    more, other = (
        content_of(make(tmp_path / "c", name, plan(16))),
        content_of(make(tmp_path / "d", name, plan(12, seed=1))),
    )
    few = {file: content for file, content in content_of(forwards).items() if file.endswith(".dcm")}
    assert len(few) == 12
    assert few.items() <= more.items()
    assert not set(few) & set(other)
    assert not set(few.values()) & set(other.values())


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_download_is_read_without_problems(downloads: dict[str, Path], name: str) -> None:
    download = SOURCES[name].scan(downloads[name])
    assert download.problems == ()
    assert [(step.dropped, step.kept) for step in download.flow] == [(0, COUNT)] * len(download.flow)
    assert len({item.patient for item in download.items}) == COUNT
    positive = sum(bool(item.annotations) for item in download.items)
    assert 0.05 * COUNT < positive < 0.6 * COUNT
    assert max(len(item.annotations) for item in download.items) >= 2
    labels = SOURCES[name].read_labels(downloads[name])
    assert labels.ids == tuple(item.id for item in download.items)
    published = load_published(name)
    assert published is not None
    assert not published.ids & set(labels.ids)


@pytest.mark.parametrize("name", LAYOUTS)
def test_files_are_those_of_the_originals(downloads: dict[str, Path], name: str) -> None:
    item = SOURCES[name].scan(downloads[name]).items[3]
    dataset = pydicom.dcmread(downloads[name] / item.images[0])
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert (dataset.PhotometricInterpretation, dataset.BitsStored, dataset.PixelRepresentation) == ("MONOCHROME2", 8, 0)
    assert (dataset.Rows, dataset.Columns) == (SIZE, SIZE)
    assert not {"WindowCenter", "VOILUTSequence", "RescaleSlope"} & set(dataset.dir())
    assert item.id == (dataset.PatientID if name == "rsna" else dataset.SOPInstanceUID)
    assert len({dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID}) == 3
    assert re.fullmatch(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" if name == "rsna" else r"2\.25\.\d{20,39}", item.id
    )
    seen = np.asarray(load_image(downloads[name] / item.images[0])).astype(int)
    assert np.abs(seen - build(3).image).mean() < 4


def test_the_real_film_has_the_same_elements(downloads: dict[str, Path], data_folder: Path) -> None:
    (path,) = (data_folder / "siim").glob("*.dcm")
    real = pydicom.dcmread(path)
    made = pydicom.dcmread(downloads["siim"] / siim_source.scan(downloads["siim"]).items[0].images[0])
    assert set(made.dir()) <= set(real.dir())
    for name in ("SOPClassUID", "Modality", "ConversionType", "BodyPartExamined", "LossyImageCompressionMethod"):
        assert made[name].value == real[name].value
    assert made["PixelData"].VR == real["PixelData"].VR


def test_rsna_table(downloads: dict[str, Path]) -> None:
    text = (downloads["rsna"] / "stage_2_train_labels.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == "patientId,x,y,width,height,Target"
    assert all(re.fullmatch(r"[0-9a-f-]{36},(,,,,0|\d+\.0,\d+\.0,\d+\.0,\d+\.0,1)", line) for line in lines[1:])
    items = rsna_source.scan(downloads["rsna"]).items
    for index, item in enumerate(items[:30]):
        case = build(index)
        outlines = [
            outline for finding, outline in zip(case.findings, case.outlines, strict=True) if finding.kind in rsna.KINDS
        ]
        assert len(item.annotations) == sum(outline.any() for outline in outlines)
        for annotation, outline in zip(item.annotations, filter(np.any, outlines), strict=True):
            rows, columns = np.nonzero(outline)
            top, left = rows.min(), columns.min()
            assert annotation.shape == Box(left, top, columns.max() + 1 - left, rows.max() + 1 - top)


def test_siim_table(downloads: dict[str, Path]) -> None:
    with (downloads["siim"] / "train-rle.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["ImageId", " EncodedPixels"]
    assert all(runs == "-1" or find_fault(runs, 1024, 1024) is None for _, runs in rows)
    several = 0
    for index, item in enumerate(siim_source.scan(downloads["siim"]).items):
        if not item.annotations:
            continue
        case = build(index)
        kinds = [finding.kind for finding in case.findings]
        outlines = [outline for kind, outline in zip(kinds, case.outlines, strict=True) if kind == "pneumothorax"]
        runs = [each.shape.text for each in item.annotations if isinstance(each.shape, RunLengths)]
        united = np.any([decode_runs(text, 1024, 1024) for text in runs], axis=0)
        expected = np.any(outlines, axis=0).astype(np.uint8)
        enlarged = Image.fromarray(expected).resize((1024, 1024), Image.Resampling.NEAREST)
        assert np.array_equal(united, np.asarray(enlarged) > 0)
        several += len(runs) > len(outlines)
    assert several


def test_headers_are_those_of_the_real_tables(downloads: dict[str, Path], data_folder: Path) -> None:
    for name, table in (("rsna", rsna.TABLE), ("siim", siim.TABLE)):
        real, made = (
            (folder / table).read_bytes().partition(b"\n")[0] for folder in (data_folder / name, downloads[name])
        )
        assert real == made


def lopsided(bright: tuple[slice, slice]) -> Case:
    """A dark film with one bright rectangle that is both a pneumonia and a pneumothorax."""
    outline = np.zeros((64, 64), dtype=np.bool_)
    outline[bright] = True
    image = np.where(outline, 230, 30).astype(np.uint8)
    case = build(0)
    source = next(found for film in plan() if (found := film.build().findings))[0]
    findings = tuple(replace(source, kind=kind) for kind in ("pneumonia", "pneumothorax"))
    return replace(case, image=image, findings=findings, outlines=(outline, outline))


@pytest.mark.parametrize(
    "bright", [np.s_[8:16, 4:36], np.s_[40:60, 8:12]], ids=["upper left, wide", "lower left, high"]
)
def test_marks_lie_on_what_they_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bright: tuple[slice, slice]
) -> None:
    """Neither mirrored nor transposed: seen through the files alone."""
    monkeypatch.setattr(Film, "build", lambda _, case=lopsided(bright): case)
    for name in LAYOUTS:
        folder = make(tmp_path / name, name, plan(1))
        (item,) = SOURCES[name].scan(folder).items
        seen = np.asarray(load_image(folder / item.images[0])) > 130
        rows, columns = bright
        assert seen[rows, columns].all()
        assert seen.sum() == (rows.stop - rows.start) * (columns.stop - columns.start)
        shapes = [each.shape for each in item.annotations]
        if name == "rsna":
            assert shapes == [Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)]
        else:
            masks = [decode_runs(shape.text, 1024, 1024) for shape in shapes if isinstance(shape, RunLengths)]
            assert np.array_equal(np.any(masks, axis=0)[8::16, 8::16], seen)


def test_the_writer_needs_nothing_but_its_arguments(tmp_path: Path) -> None:
    header = Header("2.25.1", "2.25.2", "2.25.3", "somebody", "F", 7, "AP")
    image = np.asarray(Image.linear_gradient("L").resize((40, 30)))
    for name in ("a", "b"):
        write_dicom(tmp_path / name, image, header)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    dataset = pydicom.dcmread(tmp_path / "a")
    assert (dataset.Rows, dataset.Columns, dataset.PatientAge, dataset.ViewPosition) == (30, 40, "007Y", "AP")
    assert set(build_dataset(image).dir()) <= set(dataset.dir())
