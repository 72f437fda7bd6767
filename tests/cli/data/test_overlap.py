"""`lovt data overlap`: tables, JSON, pairs and their pictures."""

import dataclasses
import json
import stat

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from lovt_core.data import catalog
from lovt_core.errors import DataError, InputError
from lovt_tui.cli.data.overlap import command
from tests.core.data.factories import prepare_quietly, rural_stem, write_chestxray, write_rural

app = typer.Typer()
app.command("overlap")(command)
OURS, THEIRS = "covid-rural", "covid-chestxray"


@pytest.fixture
def prepared(tmp_path, root):
    """Eight pairs of four patients; six images with masks of three patients, of which two are among the pairs."""
    pairs = write_chestxray(tmp_path / "pairs", 8)
    rural = write_rural(tmp_path / "rural")
    for number in range(2):
        film = Image.open(pairs / "images" / f"film-{number}.png").convert("RGB")
        film.save(rural / "jpgs" / f"{rural_stem(number)}.jpg", quality=90)
    prepare_quietly(THEIRS, pairs, root)
    prepare_quietly(OURS, rural, root)
    return root


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False).stdout


def lines_of(output):
    return [line.split() for line in output.splitlines()]


def cells_of(answer):
    return {(cell["part"], cell["other_part"]): cell["images"] for cell in answer["cells"]}


def test_all_sets(prepared):
    output = lines_of(invoke())
    assert [THEIRS, OURS, "2", "of", "8", "2", "of", "6"] in output
    assert [OURS, "patient:0", "0", "0", "0", "0"] in output
    answer = json.loads(invoke("--json"))
    assert [(row["a"], row["b"], row["images"], row["others"]) for row in answer["shared"]] == [(THEIRS, OURS, 2, 2)]
    assert [row["name"] for row in answer["sets"]] == [THEIRS, OURS]
    assert answer["sets"][1]["sizes"]["all"] == {"images": 6, "samples": 6, "patients": 3}


def test_nothing_prepared(root):
    assert invoke().startswith(f"Nothing is prepared in {root}. Try: lovt data prepare NAME --source DIR")
    assert json.loads(invoke("--json")) == {"sets": [], "shared": []}


def test_one_set(prepared):
    output = lines_of(invoke(OURS))
    assert ["training", "test", "0", "0", "0", "0"] in output
    assert [OURS, THEIRS, "2", "of", "6", "2", "of", "8"] in output
    answer = json.loads(invoke(OURS, "--json", "--pairs", 3))
    assert (answer["pairs"], answer["shared"][0]["b"]) == ([], THEIRS)
    assert {cell["patients"] for cell in answer["sets"][0]["by_patient"]} == {0}


def test_two_sets_part_by_part(prepared):
    answer = json.loads(invoke(OURS, THEIRS, "--json"))
    cells = cells_of(answer)
    assert cells["all", "all"] == 2
    assert sum(images for (part, other), images in cells.items() if "all" not in (part, other)) == 2
    assert (answer["a"]["name"], answer["b"]["sizes"]["all"]["images"], answer["pairs"]) == (OURS, 8, [])
    output = lines_of(invoke(OURS, THEIRS))
    assert sum(line[:2] == ["all", "6"] and line[-1] == "2" for line in output) == 1
    assert sum(line[:2] == ["all", "3"] and line[-1] == "1" for line in output) == 1


def test_splits_may_be_chosen(prepared):
    answer = json.loads(invoke(OURS, THEIRS, "--splits", "patient:4", "--splits-b", "patient:7", "--json"))
    assert (answer["a"]["split"], answer["b"]["split"]) == ("patient:4", "patient:7")
    assert json.loads(invoke("--splits", "patient:2", "--json"))["sets"][1]["split"] == "patient:2"
    with pytest.raises(DataError, match="unknown split 'sometimes'"):
        invoke(OURS, "--splits", "sometimes")


def test_pairs_by_id(prepared):
    answer = json.loads(invoke(OURS, THEIRS, "--pairs", 5, "--json"))
    assert {(row["a"], row["b"]) for row in answer["pairs"]} == {
        (rural_stem(number), f"film-{number}.png") for number in (0, 1)
    }
    bits = [row["bits"] for row in answer["pairs"]]
    assert bits == sorted(bits)
    nearest = answer["pairs"][0]
    assert [str(bits[0]), nearest["a"], nearest["b"]] in lines_of(invoke(OURS, THEIRS, "--pairs", 1))
    assert len(json.loads(invoke(OURS, THEIRS, "--pairs", 1, "--json"))["pairs"]) == 1


def test_pairs_are_saved_side_by_side(prepared, tmp_path):
    folder = tmp_path / "shared" / "films"
    output = invoke(OURS, THEIRS, "--save", folder)
    files = sorted(folder.iterdir())
    assert [file.name[:8] for file in files] == ["pair-001", "pair-002"]
    assert all(f"saved {file}" in output for file in files)
    with Image.open(files[0]) as picture:
        assert picture.height > 320
        assert picture.width > 2 * 320
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    invoke(OURS, THEIRS, "--save", tmp_path / "fewer", "--pairs", 1)
    assert len(list((tmp_path / "fewer").iterdir())) == 1


def test_films_under_an_agreement_go_to_a_closed_folder_only(prepared, tmp_path, monkeypatch):
    sources = [
        dataclasses.replace(source, data_set=dataclasses.replace(source.data_set, credentialed=True))
        for source in catalog.SOURCES
    ]
    monkeypatch.setattr(catalog, "SOURCES", tuple(sources))
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(
        InputError, match=r"is open to others, and images of covid-rural are under a data use"
    ) as caught:
        invoke(OURS, THEIRS, "--save", folder)
    assert caught.value.exit_code == 2
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    invoke(OURS, THEIRS, "--save", folder)
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_folder_that_cannot_be_made(prepared, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--save .*file is a file: name a folder"):
        invoke(OURS, THEIRS, "--save", tmp_path / "file")


def test_a_set_too_small_to_be_split(tmp_path, root):
    prepare_quietly(OURS, write_rural(tmp_path / "rural", 2), root)
    output = invoke(OURS)
    assert "not split: 1 patients cannot be split into 3 parts" in " ".join(output.split())
    assert json.loads(invoke("--json"))["sets"][0]["split"] == "none"
    with pytest.raises(DataError, match="1 patients cannot be split"):
        invoke(OURS, "--splits", "patient:0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((OURS,), "data set covid-rural is not prepared in .*; run: lovt data prepare covid-rural --source DIR"),
        (("covid",), "unknown data set 'covid': known data sets are"),
        ((OURS, OURS), "'covid-rural' is both A and B"),
        (("--pairs", "3"), "--pairs, --save and --splits-a need a data set"),
        ((OURS, "--splits-b", "patient:1"), "--splits-b needs a second data set"),
    ],
)
def test_bad_requests(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        invoke(*arguments)
    assert caught.value.exit_code == 2


def test_tables_fit_80_columns(prepared, monkeypatch):
    monkeypatch.setattr("lovt_tui.cli.context.PIPE_WIDTH", 80)
    for arguments in ((), (OURS,), (OURS, THEIRS, "--pairs", 2)):
        tables = [line for line in invoke(*arguments).splitlines() if ": split by" not in line]
        assert max(map(len, tables)) <= 80
