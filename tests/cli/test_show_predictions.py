"""`lovt show RUN --predictions`: drawn, saved, listed, and what is said where that cannot be done."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from rich.console import Console

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.config.experiment import SelftestExperiment
from lovt_core.data.predictions import PredictedCase, Predictions, save_predictions
from lovt_core.runs.directory import create_run
from lovt_core.runs.workspace import find_workspace
from lovt_tui.cli import predictions as shown
from tests.core.data.factories import prepare_quietly, synthesize_quietly, write_rural

COVID, RSNA = "covid-linear", "rsna-yolo-frozen-10"


def keep_masks(data, run, task=COVID):
    """Best: the truth itself; worst: everything."""
    samples = {image: sample.id for sample in data.samples for image in sample.images}
    masks = (data.mask(0).astype(bool), np.ones((1, 32, 32), dtype=bool))
    cases = tuple(
        PredictedCase(rank, samples[row], row, score, mask=mask)
        for rank, row, score, mask in zip(("best", "worst"), (0, 2), (1.0, 0.125), masks, strict=True)
    )
    return keep(run, Predictions(task, data.name, data.fingerprint, 32, 0, cases))


def keep_boxes(data, run, count=12):
    row = next(row for row in range(data.num_images) if len(data.boxes(row)[0]))
    generator = np.random.default_rng(0)
    case = PredictedCase(
        rank="best",
        sample=next(sample.id for sample in data.samples if row in sample.images),
        image_row=row,
        score=0.75,
        boxes=generator.uniform(0, 20, (count, 4)).astype(np.float32),
        confidence=np.linspace(0.3, 0.9, count, dtype=np.float32),
        classes=np.zeros(count, np.int64),
    )
    return keep(run, Predictions(RSNA, data.name, data.fingerprint, 32, 0, (case,)))


def keep(run, predictions):
    folder = run.artifacts / "predictions"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{predictions.task}.npz"
    save_predictions(path, predictions)
    return path


@pytest.fixture
def place(lovt, tmp_path):
    return find_workspace(tmp_path / "lovt-workspace")


@pytest.fixture
def run(place):
    source = EncoderSource(source="random")
    return create_run(place, EvaluateExperiment(name="eval", encoder=source, tasks=("covid-linear",)))


@pytest.fixture
def rural(place, tmp_path):
    return prepare_quietly("covid-rural", write_rural(tmp_path / "rural"), place.prepared_root)


@pytest.fixture
def rsna(place, tmp_path):
    return prepare_quietly("rsna", synthesize_quietly(tmp_path / "rsna", "rsna"), place.prepared_root)


def test_masks_are_drawn_with_words(lovt, run, rural):
    keep_masks(rural, run)
    answer = lovt("show", "last", "--predictions")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == f"covid-linear on covid-rural {rural.fingerprint[:8]}, replicate 1"
    assert lines[1] == "T to be found   P predicted   B both"
    assert lines[2] == f"best: {rural.samples[0].id}, Dice of this image 1.0000"
    pixels = int(rural.mask(0).sum())
    assert f"  lesion: {pixels} pixels to be found, {pixels} predicted, {pixels} both" in lines
    (worst,) = (row for row, line in enumerate(lines) if line.startswith("worst: "))
    assert not {"T", "P"} & set("".join(lines[3:worst][:32]))
    assert "B" in "".join(lines[3:worst][:32])
    picture = lines[worst + 1 : worst + 33]
    assert picture[0] == "P" * 64
    assert "T" in "".join(picture)
    assert "median" not in answer.out


def test_boxes_are_listed_most_confident_first_and_not_all(lovt, run, rsna):
    keep_boxes(rsna, run)
    out = lovt("show", "last", "--predictions").out
    assert "average precision of this image 0.7500" in out
    assert re.search(r"^  to be found: pneumonia, left \d+, top \d+, width \d+, height \d+$", out, re.MULTILINE)
    confidences = [float(text) for text in re.findall(r"^  predicted (0\.\d\d): pneumonia, left", out, re.MULTILINE)]
    assert len(confidences) == 10
    assert confidences == sorted(confidences, reverse=True)
    assert "  and 2 more predicted (--json lists them all)" in out
    keep_boxes(rsna, run, count=0)
    assert "  nothing predicted" in lovt("show", "last", "--predictions").out


def test_tasks_are_in_the_papers_order_and_can_be_chosen(lovt, run, rural, rsna):
    keep_masks(rural, run)
    keep_boxes(rsna, run)
    titles = [
        line.split(" on ")[0] for line in lovt("show", "last", "--predictions").out.splitlines() if " on " in line
    ]
    assert titles == [RSNA, COVID]
    one = lovt("show", "last", "--predictions", "--task", "covid-*", "--json")
    assert [each["task"] for each in json.loads(one.out)] == [COVID]


def test_json_lists_the_cases_without_the_images(lovt, run, rural, rsna, tmp_path):
    keep_masks(rural, run)
    keep_boxes(rsna, run)
    (tmp_path / "lovt-workspace" / "data").rename(tmp_path / "elsewhere")
    boxes, masks = json.loads(lovt("show", "last", "--predictions", "--json").out)
    assert (masks["data_fingerprint"], masks["replicate"], masks["image_size"]) == (rural.fingerprint, 0, 32)
    assert [case["rank"] for case in masks["cases"]] == ["best", "worst"]
    assert [case["score"] for case in masks["cases"]] == [1.0, 0.125]
    assert masks["cases"][1]["mask_pixels"] == {"lesion": 1024}
    assert masks["cases"][1]["boxes"] is None
    (case,) = boxes["cases"]
    assert len(case["boxes"]) == 12
    assert case["boxes"][0]["class"] == "pneumonia"
    assert case["boxes"][0]["confidence"] == pytest.approx(0.9)


def test_sheet_is_a_picture_of_the_users_own(lovt, run, rural, rsna, tmp_path):
    keep_masks(rural, run)
    keep_boxes(rsna, run)
    answer = lovt("show", "last", "--predictions", "--sheet", str(tmp_path / "sheet.png"))
    assert (answer.code, answer.out) == (0, "")
    assert f"saved {tmp_path / 'sheet.png'}" in answer.err
    assert "agreement" not in answer.err
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 3 * 256
        assert sheet.height > 2 * 256
    assert (tmp_path / "sheet.png").stat().st_mode & 0o077 == 0
    nowhere = lovt("show", "last", "--predictions", "--sheet", str(tmp_path / "absent" / "sheet.png"))
    assert nowhere.code == 2
    assert f"there is no folder {tmp_path / 'absent'} for --sheet" in nowhere.err


def test_a_terminal_of_80_columns_shows_everything(lovt, run, rural, monkeypatch):
    path = keep_masks(rural, run)
    long = PredictedCase("best", "胸部" * 60 + "\x1b[31m", 0, 0.5, mask=rural.mask(0).astype(bool))
    save_predictions(path, Predictions(COVID, rural.name, rural.fingerprint, 32, 0, (long,)))

    def open_terminal(stderr=False):
        return Console(width=80, force_terminal=True, color_system="truecolor", no_color=False, highlight=False)

    monkeypatch.setattr(shown, "get_console", open_terminal)
    out = lovt("show", "last", "--predictions").out
    assert re.search(r"\x1b\[38;2;86;180;233m█", out)
    assert "38;2;240;228;66" in out
    assert "\x1b[31m" not in out
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)
    assert plain.count("胸部") == 60
    assert max(cell_len(line) for line in plain.splitlines()) <= 80


def test_there_is_nothing_to_draw(lovt, place, run, rural):
    answer = lovt("show", "last", "--predictions")
    assert answer.code == 2
    assert answer.err.startswith(f"error: run {run.id} (queued) has no predictions: only evaluations by this version")
    keep_masks(rural, run)
    other = lovt("show", "last", "--predictions", "--task", RSNA)
    assert (other.code, other.err) == (
        2,
        f"error: run {run.id} has no predictions of '{RSNA}': it has those of covid-linear\n",
    )
    unknown = lovt("show", "last", "--predictions", "--task", "covid-liner")
    assert unknown.code == 2
    assert "unknown task 'covid-liner': did you mean 'covid-linear'?" in unknown.err
    test = create_run(place, SelftestExperiment(name="small"))
    selftest = lovt("show", test.id, "--predictions")
    assert (selftest.code, selftest.err) == (
        2,
        f"error: run {test.id} is a selftest run: only evaluations have predictions\n",
    )


def test_the_prepared_data_is_gone(lovt, run, rural, tmp_path):
    keep_masks(rural, run)
    (tmp_path / "lovt-workspace" / "data").rename(tmp_path / "elsewhere")
    answer = lovt("show", "last", "--predictions")
    assert answer.code == 2
    assert "cannot draw the predictions of covid-linear, but --json lists them: " in answer.err
    assert rural.fingerprint in answer.err


def test_damaged_and_misplaced_files(lovt, run, rural):
    path = keep_masks(rural, run)
    path.rename(path.with_name("nih-linear.npz"))
    misplaced = lovt("show", "last", "--predictions", "--json")
    assert misplaced.code == 2
    assert "are not those of nih-linear" in misplaced.err
    path.with_name("nih-linear.npz").write_bytes(b"PK")
    damaged = lovt("show", "last", "--predictions")
    assert damaged.code == 2
    assert "cannot read the predictions" in damaged.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task covid-linear", "--task and --sheet choose among predictions"),
        ("--sheet a.png", "--task and --sheet choose among predictions"),
        ("--predictions --log", "--config, --log, --curve, --predictions and --regions exclude each other"),
    ],
)
def test_options_that_do_not_fit(lovt, arguments, message):
    answer = lovt("show", "last", *arguments.split())
    assert answer.code == 2
    assert message in answer.err
