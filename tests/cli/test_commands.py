"""What holds for every command: help with an example, JSON where something is listed, one sentence for bad input."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from lovt_core import __version__
from lovt_tui.cli.main import app

README = Path(__file__).parents[2] / "README.md"


def find_commands(command=None, path=()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command with the words that call it."""
    command = command or typer.main.get_command(app)
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from find_commands(child, (*path, name))
        if not hasattr(child, "commands") or child.invoke_without_command:
            yield (*path, name), child


COMMANDS = dict(find_commands())
WORDS = sorted(COMMANDS)


def test_all_commands_of_the_design_are_there():
    wanted = ("demo", "pretrain", "check", "evaluate", "compare", "runs", "show", "stop", "resume")
    groups = [("data", "list"), ("data", "prepare"), ("data", "show"), ("weights", "list"), ("weights", "import")]
    groups += [("export", "figure"), ("export", "encoder"), ("results", "gaps")]
    assert {(name,) for name in wanted} | set(groups) <= set(WORDS)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_tells_what_it_does_with_an_example_that_exists(lovt, words):
    answer = lovt(*words, "--help")
    assert (answer.code, answer.err) == (0, "")
    example = re.search(rf"Example: lovt {' '.join(words)}\b(.*)", answer.out)
    assert example
    known = {name for option in COMMANDS[words].params for name in option.opts}
    assert {word for word in example[1].split() if word.startswith("-")} <= known


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_option_is_explained_and_there_is_json(words):
    options = COMMANDS[words].params
    unexplained = [option.name for option in options if not option.help]
    assert unexplained == []
    assert words == ("export",) or any("--json" in option.opts for option in options)  # there it is a format


def test_summaries_are_not_cut(lovt):
    answer = lovt("-h")
    assert answer.code == 0
    assert not [line for line in answer.out.splitlines()[1:] if line.endswith("...")]


def test_every_data_set_that_is_not_prepared_is_named_with_its_command(lovt):
    answer = lovt("evaluate", "random")
    assert (answer.code, answer.out) == (2, "")
    for name in ("rsna", "covid-rural", "siim", "object-cxr", "nih-cxr"):
        assert f"lovt data prepare {name} --source DIR" in answer.err


def test_version(lovt):
    assert lovt("--version").out == f"lovt {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "empty"),
    [
        ("runs", []),
        ("compare", {"columns": [], "rows": [], "pin": None, "interval": "student", "summary": [], "unreadable": []}),
        ("data list", None),
        ("weights list", None),
    ],
)
def test_listings_without_anything_yet(lovt, arguments, empty):
    answer = lovt(*arguments.split(), "--json")
    assert (answer.code, answer.err) == (0, "")
    listed = json.loads(answer.out)
    assert listed == empty if empty is not None else all("name" in row for row in listed)


def test_no_runs_says_where_and_what_to_do(lovt, tmp_path):
    answer = lovt("runs")
    assert answer.out == f"No runs in {tmp_path / 'lovt-workspace'}. Try: lovt demo\n"
    assert lovt("runs", "--state", "failed").out.startswith("No failed runs in")


BAD = [
    ("show nothing", "no run 'nothing': the workspace PLACE has no runs yet"),
    ("stop nothing", "no run 'nothing': the workspace PLACE has no runs yet"),
    ("resume last", "no run 'last': the workspace PLACE has no runs yet"),
    ("runs --state sleeping", "unknown state 'sleeping': one of queued, launched, running"),
    ("compare --json --format csv", "--json and --format csv exclude each other"),
    ("pretrain nowhere.yaml", "no experiment file 'nowhere.yaml'; shipped ones: evaluation/localized.yaml"),
    ("pretrain tiny/lovt.yml", "no experiment file 'tiny/lovt.yml'; did you mean experiments/tiny/lovt.yaml?"),
    ("check nowhere.yaml", "no experiment file 'nowhere.yaml'"),
    ("pretrain tiny/lovt --set seed", "override 'seed' is not of the form key.path=value"),
    ("pretrain tiny/lovt --set sead=3", "--set sead=3: sead: unknown key; did you mean 'seed'?"),
    ("pretrain tiny/lovt --set training.max_epochs=x", "training.max_epochs: must be a whole number"),
    ("pretrain tiny/linear", "tiny/linear.yaml: kind: is 'evaluate': start it with `lovt evaluate"),
    ("check tiny/linear", "kind: is 'evaluate': `lovt check` takes"),
    ("pretrain tiny/lovt", "data set covid-chestxray is not prepared in PLACE/data; run: lovt data prep"),
    ("check tiny/lovt", "data set covid-chestxray is not prepared in PLACE/data"),
    ("evaluate random --task 12", "data set covid-rural is not prepared in PLACE/data; run: lovt data prepare"),
    ("evaluate random --task covid-lin", "unknown task 'covid-lin': did you mean 'covid-linear'?"),
    ("evaluate random --task covid-linear,x", "unknown task 'x': tasks are rsna-yolo-finetuned-1"),
    ("evaluate random --checkpoint newest", "encoder.checkpoint: unknown value 'newest': one of best, last"),
    ("evaluate random -e tiny/lovt", "tiny/lovt.yaml: kind: is 'pretrain': `lovt evaluate` needs"),
    ("evaluate nothing", "'nothing' is no file and none of random, random-fitted, imagenet, timm:<name>; as a run: no"),
    ("data prepare nothing --source .", "unknown data set 'nothing': known data sets are"),
    ("data prepare covid-rural --source nowhere", "nowhere"),
    ("data show nothing", "unknown data set 'nothing': known data sets are"),
    ("data show covid-rural", "data set covid-rural is not prepared in PLACE/data"),
    ("weights import nothing", "unknown weights 'nothing': known are"),
    ("runs --workspace taken", "workspace HERE/taken is a file: name a folder"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[arguments for arguments, _ in BAD])
def test_bad_input_is_one_sentence_and_exit_code_2(lovt, tmp_path, arguments, message):
    (tmp_path / "taken").touch()
    answer = lovt(*arguments.split())
    expected = message.replace("PLACE", str(tmp_path / "lovt-workspace")).replace("HERE", str(tmp_path))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert expected in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", ["shw", "show", "show a b", "runs --limit 0", "runs --colour", "data prepare covid-rural"]
)
def test_misspelt_command_lines_show_the_usage(lovt, arguments):
    answer = lovt(*arguments.split())
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Usage: lovt")
    assert "\nError: " in answer.err


def test_every_problem_of_an_experiment_file_on_a_line(lovt, tmp_path):
    (tmp_path / "mine.yaml").write_text("kind: selftest\nname: mine\nsead: 1\ntraining:\n  batch_size: none\n")
    answer = lovt("pretrain", "mine.yaml")
    assert answer.code == 2
    assert answer.err.splitlines() == [
        "error: mine.yaml:3: sead: unknown key; did you mean 'seed'?",
        "mine.yaml:5: training.batch_size: must be a whole number, not 'none'",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_debug_shows_the_traceback(lovt, monkeypatch):
    from lovt_core.errors import InputError
    from lovt_tui.cli.main import main

    monkeypatch.setattr("sys.argv", ["lovt", "--debug", "show", "nothing"])
    with pytest.raises(InputError, match="no run 'nothing'"):
        main()


def test_odd_labels_reach_the_experiment_as_they_are():
    from lovt_core.config.loading import find_experiment_file
    from lovt_tui.cli.evaluate import _load, _quote

    file = find_experiment_file("evaluation/localized.yaml")
    for label in ("LoVT (tiny): 3", "#1", "5", "[a", "null", "ü😀", 'a "b"', "a\nb"):
        assert _load(file, "Zürich #1.safetensors", [f"encoder.label={_quote(label)}"]).encoder.label == label


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_place_is_the_machine_s_fault(lovt, tmp_path):
    tmp_path.chmod(0o500)
    try:
        answer = lovt("runs")
    finally:
        tmp_path.chmod(0o700)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"error: cannot make the workspace {tmp_path / 'lovt-workspace'}: Permission denied\n"


def test_full_disk_is_the_machine_s_fault(lovt, monkeypatch):
    monkeypatch.setattr(
        "lovt_tui.cli.runs.print_json", lambda rows: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    answer = lovt("runs", "--json")
    assert (answer.code, answer.err) == (1, "error: No space left\n")
