"""`lovt rm`, `du`, `gc`, `archive` and `unarchive`, as a person meets them."""

import io
import json
import time

import pytest
import typer

from lovt_core.runs.directory import list_runs
from lovt_core.runs.space.cleaning.garbage import GARBAGE_KINDS
from lovt_core.runs.workspace import find_workspace
from lovt_tui.cli import archive, asking, du, gc, rm
from tests.core.runs.made_runs import checkpoint_folders, evaluation, make_run, pretraining, put_checkpoint


@pytest.fixture
def lovt(lovt, monkeypatch):
    """The commands of this file, as `main` would call them."""
    app = typer.Typer(rich_markup_mode=None)
    app.command("rm")(rm.command)
    app.command("du")(du.command)
    app.command("gc")(gc.command)
    app.command("archive")(archive.command)
    app.command("unarchive")(archive.unarchive_command)
    monkeypatch.setattr("lovt_tui.cli.main.app", app)
    return lovt


@pytest.fixture
def place(tmp_path):
    return find_workspace(tmp_path / "lovt-workspace")


@pytest.fixture
def keyboard(monkeypatch):
    """Somebody who answers questions."""

    def answer(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        for module in (asking, gc):
            monkeypatch.setattr(module, "can_ask", lambda: True)

    return answer


THREE = [("5-a1", False), ("10-a1", True), ("15-a1", False)]


def test_remove_list_restore_empty(lovt, place):
    run, other = make_run(place), make_run(place)
    answer = lovt("rm", run.id, other.id[-4:])
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == f"{run.id} is in the trash: lovt rm --restore {run.id} brings it back"
    assert list_runs(place) == []
    listed = lovt("rm", "--list").out
    assert f"{run.id}  removed {time.strftime('%Y-%m-%d')}" in listed
    rows = json.loads(lovt("rm", "--list", "--json").out)
    assert {row["id"] for row in rows} == {run.id, other.id}
    assert all(row["num_bytes"] > 0 and row["name"] == "selftest" for row in rows)

    assert lovt("rm", "--restore", run.id).out == f"{run.id} is back in {run.path}\n"
    refused = lovt("rm", "--empty")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: Delete 1 run (")
    assert "give --yes" in refused.err
    assert lovt("rm", "--empty", "--older-than", "7d", "--yes").out == "nothing to delete\n"
    assert lovt("rm", "--empty", "--yes", "--older-than", "0s").out.startswith("deleted 1 run (")
    assert lovt("rm", "--list").out == f"The trash of {place.path} is empty.\n"
    assert [found.id for found in list_runs(place)] == [run.id]


def test_remove_in_json(lovt, place):
    run = make_run(place, "finished", THREE, pretraining())
    reader = make_run(place, "queued", experiment=evaluation(run.id))
    refused = lovt("rm", run.id, "--json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: run {run.id} is needed: {reader.id} (queued) evaluates its checkpoint; ")
    forced = lovt("rm", run.id, "--json", "--force")
    assert json.loads(forced.out)["removed"] == [run.id]
    assert f"warning: run {run.id}: {reader.id} (queued) evaluates its checkpoint" in forced.err
    assert json.loads(lovt("rm", "--restore", run.id, "--json").out)["restored"][0]["id"] == run.id
    lovt("rm", run.id, "--force")
    assert json.loads(lovt("rm", "--empty", "--yes", "--json").out)["deleted"] == [run.id]


def test_one_run_of_the_trash_is_deleted(lovt, place):
    run, other = make_run(place), make_run(place)
    ambiguous = lovt("rm", "selftest")
    assert (ambiguous.code, ambiguous.out) == (2, "")
    assert ambiguous.err == f"error: 'selftest' fits 2 runs: {', '.join(sorted((run.id, other.id)))}\n"
    lovt("rm", run.id, other.id)
    assert lovt("rm", "--empty", run.id, "--yes").out.startswith("deleted 1 run (")
    assert [row["id"] for row in json.loads(lovt("rm", "--list", "--json").out)] == [other.id]
    assert lovt("rm", "--empty", run.id, "--yes").err.startswith(f"error: no run '{run.id}' in the trash")


def test_asking_before_the_trash_is_emptied(lovt, place, keyboard):
    run = make_run(place)
    lovt("rm", run.id)
    for text in ("n\n", "\n", ""):
        keyboard(text)
        answer = lovt("rm", "--empty")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.endswith("[y/N] nothing was deleted\n")
    keyboard("y\n")
    assert lovt("rm", "--empty").out.startswith("deleted 1 run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rm", "name runs to remove, or give one of --list, --restore RUN, --empty"),
        ("rm last --list", "name runs to remove, or give one of"),
        ("rm --older-than 7d --list", "--older-than goes with --empty"),
        ("rm --empty --older-than soon", "--older-than: 'soon' is no age: a number and one of s m h d w, such as 7d"),
        ("rm nothing", "no run 'nothing'"),
        ("rm --restore nothing", "no run 'nothing' in the trash of"),
        ("gc --only dust", "--only: unknown kind 'dust': one of trash, checkpoints, states, prepared"),
        ("archive last", "no run 'last'"),
        ("unarchive nothing.tar", "cannot open the archive nothing.tar: No such file or directory"),
        ("du nothing", "no run 'nothing'"),
    ],
)
def test_bad_input_is_one_sentence(lovt, arguments, message):
    answer = lovt(*arguments.split())
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {message}")
    assert answer.err.count("\n") == 1


def test_du_shows_runs_by_kind_largest_first(lovt, place):
    small, big = make_run(place, "failed", THREE[:1]), make_run(place, "failed", THREE)
    lines = lovt("du").out.splitlines()
    assert lines[0].split() == ["run", "total", "weights", "state", "events", "log", "artifacts", "other"]
    assert [line.split()[0] for line in lines[1:3]] == [big.id, small.id]
    assert "3.00 kB" in lines[1]
    assert "9.00 kB" in lines[1]
    assert lines[3].startswith("2 runs")
    assert "free on the disk of" in lines[-1]
    assert "1 of 2 runs shown: --all shows the rest" in lovt("du", "--limit", "1").out
    content = json.loads(lovt("du", "--json").out)
    assert [row["id"] for row in content["runs"]] == [big.id, small.id]
    assert (content["runs"][0]["weights"], content["runs"][0]["state"]) == (3000, 9000)
    parts = sum(content[part] for part in ("trash", "features", "index", "other"))
    assert content["total"] == sum(row["total"] for row in content["runs"]) + parts
    (row,) = json.loads(lovt("du", small.id, "--json").out)
    assert (row["id"], row["weights"]) == (small.id, 1000)
    assert small.id in lovt("du", small.id).out


def test_du_of_an_empty_workspace(lovt, place):
    answer = lovt("du")
    assert answer.code == 0
    assert "in all; " in answer.out


def test_gc_shows_first_and_removes_only_after_a_yes(lovt, place, keyboard):
    run = make_run(place, "finished", THREE)
    shown = lovt("gc")
    assert shown.code == 0
    assert "optimiser state: each is optimiser state of a finished run" in shown.out
    assert f"3.00 kB  runs/{run.id}/checkpoints/15-a1.state" in shown.out
    assert "4 things, 10.0 kB in all" in shown.out
    assert shown.err == "nothing was removed: --yes removes all of this\n"
    keyboard("n\n")
    lovt("gc")
    assert len(checkpoint_folders(run)) == 6
    keyboard("yes\n")
    answer = lovt("gc")
    assert answer.out.endswith("removed 4 things, 10.0 kB\n")
    assert checkpoint_folders(run) == ["10-a1", "15-a1"]
    assert lovt("gc").out == f"Nothing to remove in {place.path}.\n"


def test_gc_for_scripts(lovt, place):
    run = make_run(place, "finished", THREE)
    content = json.loads(lovt("gc", "--json").out)
    assert [item["removed"] for item in content["garbage"]] == [False] * 4
    assert (content["num_bytes"], content["removed_bytes"]) == (10_000, 0)
    assert len(checkpoint_folders(run)) == 6
    content = json.loads(lovt("gc", "--json", "--yes", "--only", "states").out)
    assert {item["kind"] for item in content["garbage"]} == {"states"}
    assert content["removed_bytes"] == 9000
    content = json.loads(lovt("gc", "--json", "--keep-last", "3").out)
    assert content["garbage"] == []
    assert lovt("gc", "--yes").out.endswith("removed 1 thing, 1.00 kB\n")
    assert set(gc.TITLES) == set(GARBAGE_KINDS)


def test_gc_says_what_stays_and_why(lovt, place):
    folder = place.prepared_root / "covid-rural"
    for version in ("224-aaaaaaaa", "224-bbbbbbbb"):
        (folder / version).mkdir(parents=True)
        (folder / version / "meta.json").write_text("{}")
    (folder / "current.json").write_text('{"224": "224-bbbbbbbb"}')
    run = make_run(place, "queued", experiment=evaluation())
    assert f"kept: covid-rural/224-aaaaaaaa stays: run {run.id} is queued and may read it" in lovt("gc").out


def test_gc_that_cannot_remove_all_says_so(lovt, place, monkeypatch):
    make_run(place, "finished", THREE)

    def refuse(run, names, keep_last):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("lovt_core.runs.space.cleaning.clean.remove_checkpoints", refuse)
    answer = lovt("gc", "--yes")
    assert answer.code == 1
    assert answer.err.startswith("stays: cannot remove ")
    assert "removed 0 things, 0 B" in answer.out


def test_archive_and_back(lovt, place, tmp_path):
    run = make_run(place, "finished", THREE)
    put_checkpoint(run, "20-a1")
    answer = lovt("archive", run.id)
    assert answer.out == f"{run.id}.tar holds {run.id}\n"
    assert (tmp_path / f"{run.id}.tar").is_file()
    assert lovt("archive", run.id).err == f"error: {run.id}.tar exists: give --force to replace it, or another name\n"
    content = json.loads(lovt("archive", run.id, "--out", "x.tgz", "--compress", "--remove", "--json").out)
    assert (content["removed"], content["runs"][0]["id"]) == (True, run.id)
    assert list_runs(place) == []
    assert lovt("unarchive", "x.tgz").out == f"{run.id} is in {run.path}\n"
    assert len(checkpoint_folders(run)) == 8
    refused = lovt("unarchive", "x.tgz", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: there is a run {run.id} in ")
    other = json.loads(lovt("unarchive", "x.tgz", "--workspace", "other", "--json").out)
    assert other[0]["id"] == run.id


def test_archives_of_several_runs_need_a_name_and_removal_needs_a_whole_archive(lovt, place, monkeypatch):
    runs = [make_run(place), make_run(place)]
    refused = lovt("archive", *(run.id for run in runs))
    assert (refused.code, refused.err) == (2, "error: 2 runs go into one file: name it with --out FILE\n")

    def damaged(file, on_progress):
        from lovt_core.errors import InputError

        raise InputError(f"{file} is damaged")

    monkeypatch.setattr("lovt_core.runs.space.unarchive.verify_archive", damaged)
    answer = lovt("archive", *(run.id for run in runs), "-o", "two.tar", "--remove")
    assert (answer.code, answer.err) == (2, "error: two.tar is damaged\n")
    assert len(list_runs(place)) == 2
    monkeypatch.undo()


def test_archive_remove_refuses_needed_runs_before_it_writes(lovt, place, tmp_path):
    run = make_run(place, "finished", THREE, pretraining())
    make_run(place, "queued", experiment=evaluation(run.id))
    answer = lovt("archive", run.id, "-o", "x.tar", "--remove")
    assert (answer.code, answer.out) == (2, "")
    assert not (tmp_path / "x.tar").exists()
