"""`lovt runs` with its filters, columns and groups, its subcommands, and `lovt diff`."""

import json
import math
import sys

import pytest

from lovt_core.config.experiment import PretrainExperiment, SelftestExperiment
from lovt_core.config.training import TrainingConfig
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import find_workspace
from lovt_core.values import Metrics


def finish(run, loss, state="finished", **word):
    """Log one step, and the last word."""
    append_control(run.control, record("launch", 1))
    writer = EventWriter(run.events(1))
    writer.write("started", {"host": "here", "slot": "CPU", "versions": {"torch": str(loss)}})
    writer.write(*encode_value(Metrics(1, 0.1, {"val/loss": loss, "train/loss": 2 * loss}, 10)))
    writer.write_last_word(state, word)
    writer.close()


@pytest.fixture
def place(tmp_path):
    """Seven runs: three seeds of two batch sizes, and one that failed and has a note."""
    place = find_workspace(tmp_path / "lovt-workspace")
    for size in (8, 64):
        for seed in (1, 2, 3):
            training = TrainingConfig(batch_size=size, accumulate=1)
            run = create_run(place, SelftestExperiment(name=f"size{size}", seed=seed, training=training))
            finish(run, size / 8 + seed / 10)
    bad = create_run(place, SelftestExperiment(name="bad"))
    finish(bad, math.nan, "failed", error="the loss is nan", cause="diverged")
    append_control(bad.control, record("note", 1, note="[red]look at the rate"), record("tags", 1, tags=["tau"]))
    return place


def listed(answer):
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_rows_have_labels_cause_and_seed(lovt, place):
    rows = {row["name"]: row for row in listed(lovt("runs", "--json"))}
    assert len(rows) == 3
    bad = rows["bad"]
    assert (bad["cause"], bad["tags"], bad["remark"]) == ("diverged", ["tau"], "[red]look at the rate")
    assert (bad["latest"]["val/loss"], rows["size8"]["seed"]) == ("nan", 1)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("size", 6),
        ("name:size8", 3),
        ("cause:div", 1),
        ("note:rate", 1),
        ("-note:rate state:failed", 0),
        ("tag:tau", 1),
        ("best.val/loss<1.25 cfg.training.batch_size=8", 2),
        ("age<1h", 7),
    ],
)
def test_filters(lovt, place, text, count):
    answer = lovt("runs", "--filter", text, "--json")
    assert len(listed(answer)) == count
    hidden = f"{count} of 7 runs shown: {7 - count} do not match '{text}'\n"
    assert answer.err == ("" if count == 7 else hidden)
    table = lovt("runs", "--filter", text).out
    if count == 0:
        assert table == f"No runs match '{text}' in {place.path}: 7 do not\n"
    elif count < 7:
        assert table.endswith(hidden)


def test_state_and_filter_together(lovt, place):
    assert len(listed(lovt("runs", "--state", "finished", "--filter", "size64", "--json"))) == 3
    assert lovt("runs", "--state", "queued").out.startswith("No queued runs")


def test_columns_sorted_and_limited(lovt, place):
    columns = "name,best.val/loss,cfg.training.batch_size,latest.train/loss"
    answer = lovt("runs", "--columns", columns, "--sort", "-best.val/loss", "-n", "2", "--json")
    assert listed(answer) == [
        {"name": "size64", "best.val/loss": 8.3, "cfg.training.batch_size": 64, "latest.train/loss": 16.6},
        {"name": "size64", "best.val/loss": 8.2, "cfg.training.batch_size": 64, "latest.train/loss": 16.4},
    ]
    assert answer.err == "2 of 7 runs shown: --all shows 5 more\n"
    lines = lovt("runs", "--columns", "name,note,tags", "--sort", "note").out.splitlines()
    assert lines[0].split() == ["name", "note", "tags"]
    assert lines[1].split() == ["bad", "[red]look", "at", "the", "rate", "#tau"]


def test_a_metric_without_a_direction_has_no_best_value(lovt, place):
    assert "7 do not; val/image/std has no best value" in lovt("runs", "--filter", "best.val/image/std<1").out


def test_runs_are_listed_by_what_chose_their_checkpoint(lovt, place):
    for method in ("simclr", "supervised"):
        document = {"name": method, "data": {"name": "mimic-cxr"}, "method": {"name": method}}
        run = create_run(place, PretrainExperiment.model_validate(document))
        append_control(run.control, record("launch", 1))
        writer = EventWriter(run.events(1))
        for step, (loss, auroc) in enumerate(((1.5, 0.75), (1.25, 0.5), (1.75, 0.25)), 1):
            writer.write(*encode_value(Metrics(step, 0.1, {"val/loss": loss, "val/auroc": auroc}, 10)))
        writer.write_last_word("finished")
        writer.close()
    simclr = lovt("runs", "--filter", "method:simclr", "--columns", "name,best").out
    supervised = lovt("runs", "--filter", "method:supervised", "--columns", "name,best").out
    assert simclr.splitlines()[1].split() == ["simclr", "last", "val/loss", "1.75"]
    assert supervised.splitlines()[1].split() == ["supervised", "val/auroc", "0.75"]
    heading, line = lovt("runs", "--group", "--filter", "method:simclr").out.splitlines()[:2]
    assert heading.rstrip().endswith("last val/loss")
    assert line.rstrip().endswith("1.750")


def test_the_settings_that_differ(lovt, place):
    header = lovt("runs", "--differing", "--filter", "size", "--columns", "state").out.splitlines()[0]
    assert header.split() == ["state", "cfg.name", "cfg.seed", "cfg.training.batch_size"]
    rows = listed(lovt("runs", "--differing", "--filter", "size8", "--json"))
    assert [row["differing"] for row in rows] == [{"seed": 3}, {"seed": 2}, {"seed": 1}]
    assert listed(lovt("runs", "--differing", "--filter", "bad", "--columns", "name", "--json")) == [{"name": "bad"}]


def test_seeds_grouped(lovt, place):
    groups = listed(lovt("runs", "--group", "--sort", "best.val/loss", "--json"))
    assert [group["name"] for group in groups] == ["size8", "size64", "bad"]
    first = groups[0]
    assert (first["num_runs"], first["seeds"], first["states"]) == (3, [1, 2, 3], {"finished": 3})
    assert first["best"]["val/loss"]["mean"] == pytest.approx(1.2)
    assert first["best"]["val/loss"]["half_width"] == pytest.approx(4.302653 * 0.1 / 3**0.5)
    table = lovt("runs", "--group", "-n", "1", "--sort", "best.val/loss", "--differing").out
    assert table.splitlines()[1].split() == [
        "size8",
        "selftest",
        "3",
        "3",
        "finished",
        "1",
        "2",
        "3",
        "1.200",
        "±",
        "0.248",
    ]
    assert table.endswith("3 of 7 runs shown: --all shows 4 more\n")
    both = lovt("runs", "--group", "--filter", "size", "--differing", "--columns", "kind").out.splitlines()
    assert both[0].split()[:3] == ["kind", "cfg.name", "cfg.training.batch_size"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--filter", "stat:failed"), "unknown field 'stat:', did you mean state:?"),
        (("--filter", "cause:divrged"), "no cause is 'divrged', did you mean diverged?"),
        (("--columns", "run,stat"), "unknown column 'stat', did you mean state?"),
        (("--sort", "best.val/los"), "none of these runs has 'best.val/los', did you mean best.val/loss?"),
        (("--group", "--columns", "colour"), "unknown column 'colour', known: run, name"),
        (("--watch", "--json"), "--watch and --json exclude each other"),
        (("--json", "verify"), "options stand behind the subcommand: lovt runs verify"),
    ],
)
def test_bad_input(lovt, place, arguments, message):
    answer = lovt("runs", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {message}")
    assert answer.err.count("\n") == 1


def test_watching_draws_again_until_ctrl_c(lovt, place, monkeypatch):
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt
        create_run(place, SelftestExperiment(name="newest"))

    monkeypatch.setattr("lovt_tui.cli.runs.time.sleep", sleep)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    answer = lovt("runs", "--watch")
    assert (answer.code, looks) == (0, [1.0, 1.0])
    assert "newest" in answer.out


def test_reindex_builds_what_was_damaged(lovt, place):
    lovt("runs")
    place.index.write_bytes(b"garbage" * 1000)
    answer = lovt("runs", "reindex")
    assert answer.code == 0
    assert answer.out.startswith("7 runs are in the index, built in ")
    assert listed(lovt("runs", "reindex", "--json"))["runs"] == 7


def test_verify_lists_what_is_wrong(lovt, place):
    assert lovt("runs", "verify").out == "7 runs verified, 0 errors\n"
    run_id = listed(lovt("runs", "--filter", "bad", "--json"))[0]["id"]
    with (place.runs / run_id / "events-1.jsonl").open("a") as file:
        file.write("[]\ntorn")
    answer = lovt("runs", "verify", "--deep")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        f"error: {run_id} events-1.jsonl:4: is not a JSON object",
        f"note: {run_id} events-1.jsonl: its last line is torn after 4 bytes",
        "7 runs verified, 1 error",
    ]
    answer = lovt("runs", "verify", "--json")
    assert (answer.code, json.loads(answer.out)["errors"]) == (1, 1)


def test_two_runs_compared(lovt, place):
    rows = listed(lovt("runs", "--filter", "size cfg.seed=2", "--json"))
    first, second = (next(row["id"] for row in rows if row["name"] == name) for name in ("size8", "size64"))
    answer = lovt("diff", first, second)
    assert answer.code == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["training.batch_size", "8", "64"] in lines
    assert ["best.val/loss", "1.2", "8.2"] in lines
    assert ["started.versions.torch", "1.2", "8.2"] in lines
    found = listed(lovt("diff", first, second, "--json"))
    assert {each["key"] for each in found["settings"]} == {"name", "training.batch_size"}
    assert lovt("diff", first, "nothing").code == 2


def test_nothing_slow_is_imported_when_nothing_is_new(lovt, place):
    """Listing runs that are all known reads neither YAML nor a run directory."""
    lovt("runs")
    import subprocess

    program = (
        "import sys; from lovt_core.runs.indexing.index import Index; from lovt_core.runs.workspace import Workspace\n"
    )
    program += "from pathlib import Path; index = Index(Workspace(Path(sys.argv[1]))); assert not index.sync()\n"
    program += "assert len(index.runs()) == 7; print([name for name in ('torch', 'numpy', 'lovt_core.runs.directory')"
    program += " if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", program, str(place.path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"
