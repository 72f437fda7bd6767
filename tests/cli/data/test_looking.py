"""`lovt data labels`, `show`, `stats`, `verify` and `synthesize`."""

import json
import re

import pytest
from PIL import Image

from lovt_core.errors import DataError, LovtError
from tests.cli.data.calls import invoke, prepare
from tests.core.data.factories import (
    synthesize_quietly,
    write_chestxray,
    write_rural,
)


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_a_split_that_does_not_exist_is_refused(tmp_path):
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    with pytest.raises(DataError, match="unknown split 'nonsense': write auto"):
        invoke("show", "covid-rural", "--splits", "nonsense")


def test_show_tells_identity_and_split(tmp_path):
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    output = invoke("show", "covid-rural").stdout
    assert "split by patient with seed 0, not a published split: 2 training (1 patients)" in output
    assert "lovt data overlap covid-rural" in output
    shown = json.loads(invoke("show", "covid-rural", "--json").stdout)
    assert (shown["split"]["training"], shown["split"]["validation"], shown["split"]["test"]) == (2, 2, 2)
    assert len(shown["split"]["fingerprint"]) == 64
    other = json.loads(invoke("show", "covid-rural", "--splits", "patient:1", "--json").stdout)
    assert other["split"]["fingerprint"] != shown["split"]["fingerprint"]


def test_show_of_a_set_too_small_to_split(tmp_path):
    prepare("covid-rural", write_rural(tmp_path / "rural", 2))
    assert "1 patients cannot be split into 3 parts: more patients are needed" in invoke("show", "covid-rural").stdout
    assert "announcement" in json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]


def test_verify_finds_changed_bytes(tmp_path, root):
    assert f"nothing is prepared in {root}" in invoke("verify").stdout
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    prepare("covid-chestxray", write_chestxray(tmp_path / "pairs"))
    whole = invoke("verify")
    assert whole.exit_code == 0
    assert whole.stdout.count("every byte is as it was written") == 2
    (masks,) = root.glob("covid-rural/*/masks.bin")
    masks.write_bytes(bytes(masks.stat().st_size))
    damaged = invoke("verify", "covid-rural")
    assert damaged.exit_code == 1
    assert "masks.bin: the content has changed since it was prepared" in damaged.stdout
    (row,) = json.loads(invoke("verify", "covid-rural", "--json").stdout)
    assert row["problems"] == ["masks.bin: the content has changed since it was prepared"]
    assert invoke("verify", "covid-chestxray").exit_code == 0


def test_labels_need_no_image(data_folder):
    output = invoke("labels", "rsna", "--source", data_folder / "rsna").stdout
    assert "26,684 patients" in output
    assert "the published split lists name exactly these 26,684 ids" in output
    answer = json.loads(invoke("labels", "nih-cxr", "--source", data_folder / "nih", "--json").stdout)
    assert answer["counts"]["boxes"] == 984
    assert answer["problems"] == []


def test_labels_tell_rows_that_cannot_be_used(tmp_path):
    source = synthesize_quietly(tmp_path / "rsna", "rsna")
    table = source / "stage_2_train_labels.csv"
    table.write_text(table.read_text() + "someone,1,2,0,5,1\n")
    result = invoke("labels", "rsna", "--source", source)
    assert result.exit_code == 2
    assert "stage_2_train_labels.csv: row" in result.stdout


def test_samples_are_drawn_and_saved(tmp_path):
    invoke("prepare", "rsna", "--source", synthesize_quietly(tmp_path / "rsna", "rsna"), "--workers", 1)
    output = invoke("show", "rsna", "--sample", 3, "--save", tmp_path / "out")
    assert output.exit_code == 0
    assert len(re.findall(r"^\S{36}  (?:\d )?(?:pneumonia|nothing marked)$", output.stdout, re.MULTILINE)) == 3
    assert re.search(r"^  pneumonia: left \d+, top \d+, width \d+, height \d+$", output.stdout, re.MULTILINE)
    assert set("░▒▓█") & set(output.stdout)
    saved = sorted((tmp_path / "out").iterdir())
    assert len(saved) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out", *saved))
    assert size_of(saved[0]) == (512, 512)
    invoke("show", "rsna", "--sample", 10, "--sheet", tmp_path / "sheet.png")
    assert size_of(tmp_path / "sheet.png")[0] > 5 * 256
    name = saved[0].stem.removeprefix("rsna-")
    assert name in invoke("show", "rsna", "--id", name).stdout
    (row,) = json.loads(invoke("show", "rsna", "--id", name, "--json").stdout)
    assert (row["id"], row["images"][0]["height_width"]) == (name, [224, 224])
    assert bool(row["images"][0]["boxes"]) == bool(row["images"][0]["masks"])
    with pytest.raises(DataError, match="rsna has no sample nobody"):
        invoke("show", "rsna", "--id", "nobody")


def test_reports_are_shown_with_their_images_and_counted(tmp_path):
    prepare("covid-chestxray", write_chestxray(tmp_path / "pairs"))
    assert "  Patchy consolidation of the left lower lobe.\n" in invoke("show", "covid-chestxray", "--sample", 1).stdout
    output = invoke("stats", "covid-chestxray").stdout
    for expected in ("training", "validation", "pixel mean", "sentences", "distinct words"):
        assert expected in output
    answer = json.loads(invoke("stats", "covid-chestxray", "--json").stdout)
    assert [part["samples"] for part in answer["parts"]] == [4, 2]
    assert answer["parts"][0]["reports"]["num_sentences"] == 12


def test_stats_of_masks_and_boxes(tmp_path):
    invoke("prepare", "nih-cxr", "--source", synthesize_quietly(tmp_path / "nih", "nih-cxr", 60), "--workers", 1)
    parts = json.loads(invoke("stats", "nih-cxr", "--json").stdout)["parts"]
    data = json.loads(invoke("show", "nih-cxr", "--json").stdout)
    assert sum(each["boxes"] for part in parts for each in part["classes"]) == data["num_boxes"]
    assert sum(part["samples"] for part in parts) == data["num_samples"]
    assert all(part["positive"] <= part["images"] for part in parts)


def test_synthetic_downloads_say_how_to_go_on(tmp_path):
    result = invoke("synthesize", "siim", "openi", "--out", tmp_path / "s", "--count", 3, "--size", 48, "--workers", 1)
    assert f"lovt data prepare siim --source {tmp_path / 's' / 'siim'}" in result.stdout
    assert {path.name for path in (tmp_path / "s").iterdir()} == {"siim", "openi"}
    with pytest.raises(LovtError, match="exists already"):
        invoke("synthesize", "siim", "--out", tmp_path / "s", "--count", 3, "--size", 48)
    with pytest.raises(LovtError, match="unknown layout 'x'"):
        invoke("synthesize", "openi", "x", "--out", tmp_path / "t")
    assert not (tmp_path / "t").exists()
