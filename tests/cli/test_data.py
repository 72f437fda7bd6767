"""`lovt data`: what it prints, its JSON, and one sentence with exit code 2 for each bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from lovt_core.data.preparation import unfinished
from lovt_core.data.preparation.describe import SYNTHETIC_MARKER
from lovt_core.errors import DataError, LovtError
from lovt_tui.cli.data.commands import app
from tests.core.data.factories import (
    note_row,
    rural_stem,
    synthesize_quietly,
    write_chestxray,
    write_lists,
    write_rural,
)
from tests.core.data.preparation.test_prepare_faults import other_preparation

PROJECT = Path(__file__).parents[2]
NAMES = ("mimic-cxr", "openi", "covid-chestxray", "paired-csv", "rsna", "covid-rural", "siim", "object-cxr", "nih-cxr")
PROGRAM = (
    "import typer; from lovt_tui.cli import main\n"
    "known = [group.name for group in main.app.registered_groups]\n"
    "main.app.add_typer(app, name='data') if 'data' not in known else None\n"
    "main.main()"
)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("LOVT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOVT_PREPARED", str(tmp_path / "prepared"))
    return tmp_path / "prepared"


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def prepare(name, source, *options):
    return invoke("prepare", name, "--source", source, "--size", 32, "--workers", 1, *options)


def refused(name, source, *options):
    with pytest.raises(LovtError) as caught:
        prepare(name, source, *options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def size_of(path):
    with Image.open(path) as image:
        return image.size


def run_program(*arguments):
    command = [sys.executable, "-c", PROGRAM, "data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)


def test_list_of_an_empty_workspace_says_how_to_prepare(root):
    output = invoke("list").stdout
    for name in NAMES:
        assert re.search(rf"^{name} +(paired|localized) .* - *$", output, re.MULTILINE)
    assert f"Prepared data: {root}" in output
    assert "Licence, download page and layout of one set: lovt data list NAME" in output


def test_list_of_one_set_says_where_to_get_it_and_how_to_prepare_it():
    output = invoke("list", "covid-rural").stdout
    for expected in (
        "covid-rural  [localized]",
        "https://github.com/GeneralBlockchain/covid-19-chest-xray-segmentations-dataset",
        "licence   images CC BY 4.0",
        "cite      Desai",
        "layout    jpgs/",
        "lovt data prepare covid-rural --source DIR",
    ):
        assert expected in output


def test_list_shows_what_is_prepared(tmp_path):
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    source = write_chestxray(tmp_path / "pairs")
    (source / SYNTHETIC_MARKER).write_text("{}")
    prepare("covid-chestxray", source)
    output = invoke("list").stdout
    assert "6 at 32 px, not genuine" in output
    assert "6 at 32 px, synthetic" in output
    whole = invoke("list", "covid-rural").stdout
    assert "6 samples, not genuine: other images in the layout of this data set, current" in whole
    rows = {row["name"]: row for row in json.loads(invoke("list", "--json").stdout)}
    (version,) = rows["covid-chestxray"]["prepared"]
    assert (version["size"], version["synthetic"], version["current"], version["problem"]) == (32, True, True, None)
    assert rows["covid-rural"]["licence"].startswith("images CC BY 4.0")


def test_list_survives_damage(tmp_path, root):
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    (meta,) = root.glob("covid-rural/*/meta.json")
    meta.write_text("{")
    assert "damaged" in invoke("list").stdout
    rows = {row["name"]: row for row in json.loads(invoke("list", "--json").stdout)}
    assert "meta.json is damaged" in rows["covid-rural"]["prepared"][0]["problem"]


def test_prepare_tells_what_was_made(tmp_path):
    rows = [note_row(number) for number in range(6)]
    source = write_chestxray(tmp_path / "pairs", [*rows, note_row(6, view="L")])
    result = prepare("covid-chestxray", source)
    for expected in (
        "covid-chestxray prepared: ",
        "6 samples, 6 images of 3 patients, 18 sentences",
        "short side at most 32 pixels",
        "fingerprint  ",
        "origin       genuine; from ",
        "flow         7 rows of metadata.csv",
        "6 left without 1: not a frontal view (PA, AP)",
    ):
        assert expected in result.stdout
    assert "preparing covid-chestxray" in result.stderr
    assert "6/6" in result.stderr
    again = prepare("covid-chestxray", source)
    assert "was prepared from these files already, and is whole" in again.stdout
    assert again.stderr == ""


def test_prepare_says_what_it_kept(tmp_path, monkeypatch):
    source = write_rural(tmp_path / "rural")
    prepare("covid-rural", source)
    write_rural(source, 2, first=6)
    result = prepare("covid-rural", source)
    assert "covid-rural prepared, 6 samples as they were decoded before and 2 anew: " in result.stdout
    assert "6 kept from before" in result.stderr

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(unfinished, "decode_item", interrupt)
    write_rural(source, 2, first=8)
    stopped = prepare("covid-rural", source)
    assert stopped.exit_code == 130
    assert "stopped; what is decoded is kept, and the same command goes on from there" in stopped.stderr


def test_a_split_that_does_not_exist_is_refused(tmp_path):
    prepare("covid-rural", write_rural(tmp_path / "rural"))
    with pytest.raises(DataError, match="unknown split 'nonsense': write auto"):
        invoke("show", "covid-rural", "--splits", "nonsense")


def test_prepare_answers_in_json(tmp_path):
    source = write_rural(tmp_path / "rural")
    answer = json.loads(prepare("covid-rural", source, "--json").stdout)
    assert (answer["name"], answer["num_samples"], answer["unchanged"], answer["skipped"]) == (
        "covid-rural",
        6,
        False,
        [],
    )
    assert Path(answer["path"]).name == f"32-{answer['fingerprint'][:8]}"
    assert json.loads(prepare("covid-rural", source, "--json").stdout)["unchanged"]


def test_skip_bad_lists_what_was_left_out(tmp_path):
    source = write_rural(tmp_path / "rural")
    broken = source / "jpgs" / f"{rural_stem(2)}.jpg"
    broken.write_bytes(broken.read_bytes()[:400])
    message = refused("covid-rural", source)
    assert f"jpgs/{rural_stem(2)}.jpg: " in message
    assert message.endswith("repair them, or leave them out with --skip-bad")
    output = prepare("covid-rural", source, "--skip-bad").stdout
    assert "skipped      1 files or rows that could not be used" in output
    assert f"jpgs/{rural_stem(2)}.jpg: damaged image" in output
    shown = invoke("show", "covid-rural", "--size", 32).stdout
    assert f"jpgs/{rural_stem(2)}.jpg: damaged image" in shown


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


def test_splits_are_chosen_when_data_is_prepared(tmp_path):
    source = write_rural(tmp_path / "rural")
    ids = [rural_stem(number) for number in range(6)]
    lists = write_lists(tmp_path / "lists", ids[:3], ids[3:5], ids[5:])
    output = prepare("covid-rural", source, "--splits", lists).stdout
    assert "not a published split: 3 training (2 patients), 2 validation (2 patients), 1 test (1 patients)" in output
    shown = json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]
    assert re.fullmatch(r"lists:[0-9a-f]{8}", shown["spec"])
    prepare("covid-rural", source, "--splits", "patient:3")
    assert json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]["spec"] == "patient:3"
    prepare("covid-rural", source)
    assert json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]["spec"] == "patient:3"
    prepare("covid-rural", source, "--splits", "auto")
    assert json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]["spec"] == "patient:0"


def test_bad_splits_are_refused_before_anything_is_decoded(tmp_path, root):
    source = write_rural(tmp_path / "rural")
    assert "'patient:x' is no folder with split lists and no split: write auto" in (
        refused("covid-rural", source, "--splits", "patient:x")
    )
    ids = [rural_stem(number) for number in range(6)]
    lists = write_lists(tmp_path / "lists", ids, ids[:1], ())
    assert "occur more than once" in refused("covid-rural", source, "--splits", lists)
    assert "has none of the 221 samples" in refused("covid-rural", source, "--splits", "published")
    foreign = write_lists(tmp_path / "foreign", ["a"], ["b"], ["c"])
    assert "has none of the 3 samples" in refused("covid-rural", source, "--splits", foreign)
    assert not root.exists()
    prepare("covid-rural", source)
    assert json.loads(invoke("show", "covid-rural", "--json").stdout)["split"]["spec"] == "patient:0"


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


@pytest.mark.parametrize("command", [("show", "covid-rural"), ("show", "covid"), ("prepare", "covid", "--source", ".")])
def test_what_is_not_there(command):
    with pytest.raises(DataError, match=r"is not prepared in|unknown data set 'covid': known data sets are"):
        invoke(*command)


def write_bad_downloads(folder):
    """Name of the bad input -> (data set, folder, what the sentence says)."""
    good = write_chestxray(folder / "good", 4)
    rows = [note_row(number) for number in range(4)]

    def pairs(name, rows=rows):
        return write_chestxray(folder / name, rows)

    empty_table = pairs("empty-table")
    (empty_table / "metadata.csv").write_text("")
    absent = pairs("absent-image")
    (absent / "images" / "film-3.png").unlink()
    truncated = pairs("truncated")
    Image.open(good / "images" / "film-1.png").save(truncated / "images" / "film-1.png", "JPEG")
    content = (truncated / "images" / "film-1.png").read_bytes()
    (truncated / "images" / "film-1.png").write_bytes(content[: len(content) // 2])
    column = pairs("column")
    (column / "metadata.csv").write_text("Patientid,filename,view,modality\n1,film-0.png,PA,X-ray\n")
    ragged = pairs("ragged")
    with (ragged / "metadata.csv").open("a") as file:
        file.write("p9,film-0.png,PA\n")
    mask = write_rural(folder / "mask", 4)
    Image.new("L", (10, 10)).save(mask / "pngs_masks" / f"{rural_stem(0)}.png")
    empty_notes = pairs("empty-notes", [note_row(number, **{"clinical notes": ""}) for number in range(2)])
    one_word = pairs("one-word", [note_row(number, **{"clinical notes": "pneumonia"}) for number in range(2)])
    return {
        "missing folder": ("covid-chestxray", folder / "nowhere", "nowhere does not exist"),
        "empty table": ("covid-chestxray", empty_table, "metadata.csv: the table is empty; it needs the columns"),
        "absent image": ("covid-chestxray", absent, "row 5: the image film-3.png is not in the folder images"),
        "truncated": ("covid-chestxray", truncated, "images/film-1.png: damaged image"),
        "missing column": ("covid-chestxray", column, "metadata.csv: row 1: no column clinical notes"),
        "ragged row": ("covid-chestxray", ragged, "metadata.csv: row 6: 3 fields instead of 6"),
        "mask of another size": ("covid-rural", mask, f"{rural_stem(0)}.png: the mask has 10 x 10 pixels, its image"),
        "empty notes": ("covid-chestxray", empty_notes, "0 left after dropping 2: clinical note shorter than 3 tokens"),
        "one-word notes": ("covid-chestxray", one_word, "0 left after dropping 2: clinical note shorter than 3 tokens"),
        "other layout": ("covid-rural", good, "no jpgs and no pngs_masks there, but images, metadata.csv"),
    }


def test_bad_downloads_are_refused_with_what_is_wrong(tmp_path, root):
    for what, (name, source, expected) in write_bad_downloads(tmp_path).items():
        assert expected in refused(name, source), what
        assert not list(root.glob("*/*/meta.json")), what
        assert not list(root.glob("*/.*.tmp")), what


def test_one_word_note_among_others_is_dropped_and_counted(tmp_path):
    rows = [note_row(number) for number in range(4)]
    source = write_chestxray(tmp_path / "pairs", [*rows, note_row(4, **{"clinical notes": "pneumonia"})])
    assert "4 left without 1: clinical note shorter than 3 tokens" in prepare("covid-chestxray", source).stdout


def test_command_line_shows_one_message_and_exit_codes(tmp_path, root):
    missing = run_program("prepare", "covid-rural", "--source", tmp_path / "nowhere")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == (
        f"error: {tmp_path / 'nowhere'} does not exist: give the folder of the download as --source\n"
    )
    source = write_rural(tmp_path / "rural", 4)
    with other_preparation(source, root, "decoding"):
        second = run_program("prepare", "covid-rural", "--source", source)
    assert second.returncode == 2
    assert "is being prepared in" in second.stderr
    assert second.stderr.count("\n") == 1
    root.joinpath("covid-chestxray").touch()
    machine = run_program("prepare", "covid-chestxray", "--source", write_chestxray(tmp_path / "pairs"))
    assert machine.returncode == 1
    assert machine.stderr.startswith("error: cannot prepare in ")
    assert "Traceback" not in missing.stderr + second.stderr + machine.stderr


def test_source_is_required():
    assert invoke("prepare", "covid-rural").exit_code == 2


@pytest.mark.parametrize("command", ["list", "labels", "prepare", "show", "stats", "overlap", "verify", "synthesize"])
def test_every_command_has_help_with_an_example(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"Example: lovt data {command}" in result.output
    assert "--json" in result.output


def test_preparing_never_imports_torch(tmp_path):
    source = write_rural(tmp_path / "rural")
    program = (
        "import sys; from lovt_tui.cli.data.commands import app\n"
        f"app(['prepare', 'covid-rural', '--source', {str(source)!r}], standalone_mode=False)\n"
        "app(['show', 'covid-rural'], standalone_mode=False)\n"
        "print(sorted({'torch', 'transformers', 'timm', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_cells_of_tables_do_not_steer_the_terminal(tmp_path):
    rows = [note_row(0), note_row(1, filename="\x1b[31mred.png")]
    write_chestxray(tmp_path / "pairs", rows)
    (tmp_path / "pairs" / "images" / "\x1b[31mred.png").unlink()
    done = run_program("prepare", "covid-chestxray", "--source", tmp_path / "pairs")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "the image \\x1b[31mred.png is not in the folder images" in done.stderr


def test_problems_of_both_kinds_are_told_however_many_there_are(tmp_path):
    source = write_rural(tmp_path / "rural", 30)
    for number in range(25):
        (source / "pngs_masks" / f"{rural_stem(number)}.png").unlink()
    (source / "jpgs" / f"{rural_stem(29)}.jpg").write_bytes(b"no image")
    message = refused("covid-rural", source)
    assert message.startswith("covid-rural: 26 files or rows of the download cannot be used:")
    assert f"jpgs/{rural_stem(29)}.jpg: not an image of a known format" in message
    assert "and 5 more" in message
