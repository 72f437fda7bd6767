"""`lovt show RUN --regions`, `lovt ground` and `lovt analyse`, through real worker processes on a run of two steps."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import find_workspace
from lovt_core.values import CheckpointSaved
from lovt_tui.cli import ground, regions
from tests.core.inspection.trained import make_document, make_experiment, prepare_synthetic, train

SIMCLR = {"name": "simclr", "image_encoder": {"backbone": "test_resnet", "weights": "random"}}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Prepared pairs and masks, and the checkpoints of a run of two steps."""
    scratch = tmp_path_factory.mktemp("looking")
    for name, count in (("covid-chestxray", 40), ("covid-rural", 12)):
        prepare_synthetic(scratch / "prepared", scratch, name, count)
    return scratch / "prepared", train(scratch / "prepared", scratch).checkpoints


@pytest.fixture
def place(lovt, trained, tmp_path):
    place = find_workspace(tmp_path / "lovt-workspace")
    place.prepared_root.symlink_to(trained[0])
    return place


@pytest.fixture
def run(place, trained):
    """A finished run with that checkpoint."""
    run = create_run(place, make_experiment())
    append_control(run.control, record("launch", 1))
    shutil.copytree(trained[1], run.checkpoints)
    (name,) = {path.name for path in run.checkpoints.iterdir() if "." not in path.name}
    writer = EventWriter(run.events(1))
    writer.write(*encode_value(CheckpointSaved(name, 2, is_last=True, is_best=True)))
    writer.write_last_word("finished")
    writer.close()
    return run


@pytest.fixture
def film(tmp_path):
    rows, columns = np.mgrid[:70, :90]
    path = tmp_path / "film.png"
    Image.fromarray((128 + 100 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.uint8)).save(path)
    return path


def open_terminal(stderr=False):
    return Console(width=80, force_terminal=True, color_system="truecolor", no_color=False, highlight=False)


def test_regions_are_drawn_saved_and_found_by_the_dashboard(lovt, run, tmp_path):
    answer = lovt("show", "last", "--regions", "--samples", "2", "--out", str(tmp_path / "pictures"))
    assert (answer.code, answer.out.count("(validation of covid-chestxray)")) == (0, 2)
    assert "  pooling: attention of the image pool" in answer.out
    assert "of 4 x 4: " in answer.out
    kept = sorted((run.artifacts / "regions").iterdir())
    assert [path.name for path in kept] == sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert len(kept) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert f"saved 2 PNG in {run.artifacts / 'regions'} and {tmp_path / 'pictures'}" in answer.err.replace("\n", "")
    from lovt_tui.listing.run_pictures import list_pictures
    from lovt_tui.reading.detail_reader import list_files

    titles = [picture.title for picture in list_pictures(tuple(list_files(run.path)))]
    assert titles == [f"regions/{path.name}" for path in kept]


def test_regions_in_colour_fit_80_columns(lovt, run, monkeypatch):
    monkeypatch.setattr(regions, "get_console", open_terminal)
    out = lovt("show", "last", "--regions", "--samples", "1", "--split", "training").out
    lines = [line for line in out.splitlines() if "▀" in line]
    assert lines
    assert max(line.count("▀") for line in lines) <= 80
    assert "38;2;" in lines[0]


def test_regions_as_json(lovt, run):
    answer = lovt("show", run.id, "--regions", "--samples", "1", "--json")
    (sample,) = json.loads(answer.out)["samples"]
    assert len(sample["pooling_attention"]) == 16
    assert len(sample["sentence_attention"]) == len(sample["sentences"])
    with Image.open(sample["picture"]) as picture:
        assert picture.width > 256


def test_a_phrase_is_drawn_with_its_scale_and_saved(lovt, run, film, tmp_path):
    answer = lovt("ground", "last", str(film), "opacity in the left lower lobe", "--out", "heat.png")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f'"opacity in the left lower lobe" on {film}'
    assert {len(line) for line in lines[1:-2]} == {64}
    low, _, high = lines[-2].replace(" ", "|", 1).rpartition(" ")
    assert -1 <= float(low.partition("|")[0]) < float(high) <= 1
    assert lines[-1].startswith("score of the cross-attention, highest at x ")
    assert "saved heat.png" in answer.err
    with Image.open(tmp_path / "heat.png") as picture:
        assert picture.width == 90
        assert picture.height > 70
    again = lovt("ground", "last", str(film), "opacity", "--out", "heat.png")
    assert (again.code, "exists: give --force" in again.err) == (2, True)


def test_a_phrase_as_json_and_in_colour(lovt, run, film, monkeypatch):
    found = json.loads(lovt("ground", run.id, str(film), "effusion", "--json").out)
    assert (found["run"], found["phrase"], found["width"], len(found["similarities"])) == (run.id, "effusion", 90, 16)
    monkeypatch.setattr(ground, "get_console", open_terminal)
    out = lovt("ground", run.id, str(film), "effusion").out
    assert "▀" in out
    assert "█" in out


def test_grounding_is_measured(lovt, run):
    answer = lovt("ground", "last", "--data", "covid-rural", "--split", "training")
    assert answer.code == 0
    assert "pointing game" in answer.out
    assert [line.split()[:2] for line in answer.out.splitlines()[2:4]] == [
        ["lesion", "opacity"], ["lesion", "consolidation"],
    ]  # fmt: skip
    options = ("--data", "covid-rural", "--split", "training", "--phrase", "lesion=no effusion", "--json")
    measured = json.loads(lovt("ground", "last", *options).out)
    assert [each["phrase"] for each in measured["phrases"]] == ["no effusion"]
    assert measured["all"]["maps"] == measured["num_images"] > 0


def test_embeddings_stand_beside_the_published_statistics(lovt, run, tmp_path):
    answer = lovt("analyse", "last", "--split", "training", "--plot", "pca", "--out", str(tmp_path / "plots"))
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"{run.id}: 31 of 31 training pairs of covid-chestxray"
    assert lines[1].split() == ["statistic", "this", "run", "LoVT", "(100", "%)", "LoVT", "(30", "%)"]
    (line,) = [line for line in lines if line.startswith("zg_a/ch_std ")]
    assert line.split()[2:] == ["0.04324", "0.04308"]
    assert 0 < float(line.split()[1]) <= 0.25  # a uniform sphere of 16 dimensions has 0.25
    assert len([line for line in lines if "/" in line.partition(" ")[0]]) == 123
    assert sum("Moran's I" in line for line in lines) == 2
    assert "I image   R report   B both" in lines
    names = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert names == [f"{run.id}-{plane}-pca.png" for plane in ("global", "local")]


def test_embeddings_as_json(lovt, run):
    options = ("--split", "validation", "--samples", "6", "--ablations", "--json")
    found = json.loads(lovt("analyse", run.id, *options).out)
    assert (found["num_samples"], found["part"], found["planes"]) == (6, "validation", {})
    assert set(found["statistics"]) == set(found["published"])
    assert len(found["published"]["emb/zg_a/ch_std"]) == 6


def test_the_default_part_is_validation_where_there_is_no_test_part(lovt, run):
    answer = lovt("analyse", run.id, "--json")
    found = json.loads(answer.out)
    assert found["part"] == "validation"
    assert found["notes"] == ["covid-chestxray has no test part in this split: the validation part is analysed"]
    assert f"note: {found['notes'][0]}\n" in answer.err


BAD = [
    (("ground", "last"), "give an image and a phrase"),
    (("ground", "last", "film.png"), "give an image and a phrase"),
    (("ground", "last", "film.png", "opacity", "--data", "rsna"), "give an image and a phrase"),
    (("ground", "last", "--data", "rsna", "--out", "a.png"), "draws nothing: leave image, phrase and --out out"),
    (("ground", "last", "film.png", "opacity", "--phrase", "a=b"), "--phrase names phrases of classes"),
    (("ground", "last", "film.png", " "), "the phrase is empty: write what a report would say"),
    (("ground", "last", "film.png", "opacity " * 40), "tokens, the report encoder reads 30: write a shorter one"),
    (("ground", "last", "nowhere.png", "opacity"), "nowhere.png: the file is missing"),
    (("ground", "last", "broken.png", "opacity"), "broken.png: not an image of a known format"),
    (("ground", "nothing", "film.png", "opacity"), "no run 'nothing'"),
    (("ground", "last", "--data", "rsna"), "data set rsna is not prepared"),
    (("ground", "last", "--data", "nowhere"), "unknown data set 'nowhere'"),
    (("ground", "last", "--data", "covid-rural", "--splits", "x"), "--splits: unknown split 'x'"),
    (("ground", "last", "--data", "covid-rural", "--phrase", "lesion"), "is not of the form CLASS=TEXT"),
    (("analyse", "last", "--split", "test"), "has no test samples: choose validation or training"),
    (("analyse", "last", "--plot", "pca", "--out", "film.png"), "--out film.png: film.png is a file: name a folder"),
    (("analyse", "last", "--out", "film.png/plots"), "film.png is a file: name a folder"),
    (("ground", "last", "film.png", "opacity", "--out", "h.jpg"), "is a PNG: give a name that ends in .png"),
    (("show", "last", "--regions", "--out", "film.png"), "--out film.png: film.png is a file: name a folder"),
    (("show", "last", "--predictions", "--sheet", "x.txt"), "--sheet x.txt: the picture is a PNG: give a name"),
    (("analyse", "nothing"), "no run 'nothing'"),
    (("show", "last", "--samples", "2"), "--samples, --split and --out choose what --regions shows"),
    (("show", "last", "--regions", "--log"), "--predictions and --regions exclude each other"),
    (("show", "last", "--regions", "--split", "test"), "no test samples: choose validation or training"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: " ".join(value)[:60])
def test_bad_input_is_one_sentence(lovt, run, film, tmp_path, arguments, message):
    (tmp_path / "broken.png").write_text("nothing")
    answer = lovt(*arguments)
    assert (answer.code, answer.out) == (2, "")
    error = answer.err[answer.err.index("error: ") :]
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("show", "{run}", "--regions"), ("ground", "{run}", "film.png", "opacity"), ("analyse", "{run}")]
)
def test_runs_that_cannot_be_looked_into(lovt, place, film, words):
    document = make_document()
    document["method"], document["augmentation"] = SIMCLR, {}
    images = create_run(place, PretrainExperiment.model_validate(document))
    answer = lovt(*(word.format(run=images.id) for word in words))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"error: run {images.id} was trained by simclr, which reads no reports: name a run of LoVT\n"
    fresh = create_run(place, make_experiment())
    answer = lovt(*(word.format(run=fresh.id) for word in words))
    assert (answer.code, answer.out) == (2, "")
    assert "has no best checkpoint" in answer.err
