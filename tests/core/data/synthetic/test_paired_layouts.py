"""Synthetic downloads of paired sets: read by their own sources without a problem, the same bytes every time."""

import tarfile
import xml.etree.ElementTree as ET

import pytest

from lovt_core.data.annotations.shapes import Box, MaskFile
from lovt_core.data.images.loading import load_grey
from lovt_core.data.preparation.decoding import Recipe, decode_item
from lovt_core.data.sources import openi as openi_source
from lovt_core.data.sources import paired_csv as paired_csv_source
from lovt_core.data.synthetic.layouts import openi, paired_csv
from lovt_core.data.synthetic.patients import plan_films

COUNT = 48


def make(root, layout, *, backwards=False, count=COUNT, seed=3):
    """A small download; films may be written in any order."""
    root.mkdir()
    films = list(plan_films(count, seed, 7, 32))
    rows = {film.index: layout.write_film(root, film) for film in (reversed(films) if backwards else films)}
    layout.finish(root, [rows[film.index] for film in films])
    return root


def content_of(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layouts")
    return {"openi": make(folder / "openi", openi), "paired-csv": make(folder / "pairs", paired_csv)}


def flow_of(download):
    return {step.what: step.dropped for step in download.flow if step.dropped}


@pytest.mark.parametrize(("name", "layout"), [("openi", openi), ("paired-csv", paired_csv)])
def test_bytes_depend_on_nothing_but_the_request(downloads, tmp_path, monkeypatch, name, layout):
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert content_of(make(tmp_path / "again", layout, backwards=True)) == content_of(downloads[name])


@pytest.mark.parametrize(("name", "layout"), [("openi", openi), ("paired-csv", paired_csv)])
def test_another_seed_shares_no_image_and_more_films_begin_alike(downloads, tmp_path, name, layout):
    few, other = (images_of(make(tmp_path / str(seed), layout, count=12, seed=seed)) for seed in (3, 4))
    assert len(few) >= 12
    assert few.items() <= images_of(downloads[name]).items()
    assert not set(few.values()) & set(other.values())


def images_of(root):
    folder = "NLMCXR_png" if (root / "NLMCXR_png").is_dir() else "films"
    return {name: content for name, content in content_of(root).items() if name.startswith(folder)}


def test_openi_is_read_without_a_problem(downloads):
    download = openi_source.scan(downloads["openi"])
    labels = openi_source.read_labels(downloads["openi"])
    counts = dict(labels.counts)
    assert download.problems == labels.problems == ()
    assert flow_of(download) == {"without images": 3, "neither findings nor impression": 1}
    assert len(download.items) == COUNT - 4
    assert all(len(item.images) == 1 for item in download.items)  # the frontal one
    assert counts["reports without images"] == 3
    assert 0 < COUNT - counts["reports with findings"] < COUNT / 2
    assert 10 < counts["marks XXXX"] < counts["sentences"]


def test_openi_without_the_table_of_views_has_lateral_images(downloads, tmp_path):
    root = make(tmp_path / "openi", openi, count=12)
    (root / "indiana_projections.csv").unlink()
    items = openi_source.scan(root).items
    assert {len(item.images) for item in items} == {1, 2}
    frontal = {item.images[0] for item in openi_source.scan(downloads["openi"]).items}
    firsts = [item.images[0] in frontal for item in items]
    assert any(firsts)
    assert not all(firsts)  # the lateral view may come first
    shapes = {load_grey(root / image).shape for item in items for image in item.images}
    assert shapes == {(32, 32), (32, 21)}


def test_openi_reports_have_the_elements_of_the_real_ones(downloads, data_folder):
    with tarfile.open(data_folder / "nlmcxr" / "NLMCXR_reports.tgz") as archive:
        real = ET.fromstring(archive.extractfile("ecgen-radiology/1.xml").read())
    with tarfile.open(downloads["openi"] / "NLMCXR_reports.tgz") as archive:
        assert archive.getnames()[0] == "ecgen-radiology"
        ours = ET.fromstring(archive.extractfile("ecgen-radiology/5001.xml").read())
    assert paths_of(ours) <= paths_of(real)
    labels = [[part.get("Label") for part in tree.iter("AbstractText")] for tree in (ours, real)]
    assert labels[0] == labels[1]
    names = [[image.get("id").count("_") for image in tree.iter("parentImage")] for tree in (ours, real)]
    assert names == [[2, 2], [2, 2]]


def paths_of(tree, above=""):
    here = f"{above}/{tree.tag}"
    return {here}.union(*(paths_of(child, here) for child in tree))


def test_pairs_use_every_column(downloads):
    download = paired_csv_source.scan(downloads["paired-csv"])
    assert download.problems == ()
    assert len(download.items) == COUNT
    assert flow_of(download) == {"further images of a study": COUNT // 6}
    assert {item.split for item in download.items} == {"train", "validation", "test"}
    splits = {(item.patient, item.split) for item in download.items}
    assert len(splits) == len({item.patient for item in download.items})
    assert {state for item in download.items for _, state in item.findings} == {1, 0, -1}
    shapes = {type(each.shape) for item in download.items for each in item.annotations}
    assert shapes == {Box, MaskFile}
    assert {file.rpartition(".")[2] for item in download.items for file in item.images} == {"png", "jpg", "tif", "dcm"}
    assert (downloads["paired-csv"] / "notes").is_dir()
    assert {"lesion", "effusion", "pneumonia"} <= set(download.classes)


def test_pairs_are_decoded_with_their_boxes_and_masks(downloads):
    download = paired_csv_source.scan(downloads["paired-csv"])
    recipe = Recipe(paired_csv_source.DATA_SET, download.root, 32, download.classes)
    for item in download.items:
        decoded = decode_item(recipe, item)
        assert decoded.problems == ()
        marked = {each.label for each in item.annotations}
        assert {label for label, mask in enumerate(decoded.images[0].mask_bits) if mask.any()} == marked


def test_reports_of_pairs_are_those_of_the_films(downloads):
    items = paired_csv_source.scan(downloads["paired-csv"]).items
    for film, item in zip(plan_films(COUNT, 3, 7, 32), items, strict=True):
        assert item.sentences == film.build().report
