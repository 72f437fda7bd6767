"""`lovt data list` and `prepare`: what they print, their JSON, and one message for each bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lovt_core.data.preparation import unfinished
from lovt_core.data.preparation.describe import SYNTHETIC_MARKER
from lovt_core.errors import DataError
from tests.cli.data.calls import PROJECT, invoke, prepare, refused, run_program
from tests.core.data.factories import (
    note_row,
    rural_stem,
    write_chestxray,
    write_lists,
    write_rural,
)
from tests.core.data.preparation.test_prepare_faults import other_preparation

NAMES = ("mimic-cxr", "openi", "covid-chestxray", "paired-csv", "rsna", "covid-rural", "siim", "object-cxr", "nih-cxr")


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
