"""`verify` finds what is wrong, and nothing where nothing is."""

import hashlib
import json
import sqlite3

import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.directory import create_run
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.indexing.verifying import verify
from tests.core.runs.worker_lines import log, start


@pytest.fixture
def run(workspace):
    """A finished run of 2,000 steps in two attempts."""
    run = create_run(workspace, SelftestExperiment())
    writer = start(run)
    for step in range(1, 1501):
        log(writer, step, train_loss=float(step), val_loss=float("nan"))
    writer.write("alarm", {"message": "slow"})
    writer.close()
    writer = start(run, 2)
    for step in range(1400, 2001):
        log(writer, step, train_loss=float(step))
    writer.write_last_word("finished")
    writer.close()
    return run


def look(workspace, deep=False):
    """Severity and text of all findings."""
    index = Index(workspace)
    progress = []
    found = [(each.severity, each.text) for each in verify(index, deep, lambda *counts: progress.append(counts))]
    index.close()
    assert progress[-1][0] == progress[-1][1]
    return found


def change(workspace, statement):
    """Change the index behind its back."""
    Index(workspace).sync()
    with sqlite3.connect(workspace.index) as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_nothing_is_wrong(workspace, run):
    assert look(workspace, deep=True) == []


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            "delete from blocks where id = 2",
            "events-1.jsonl: 1500 points of train/loss in the file, 1024 in the index",
        ),
        ("update blocks set numbers = zeroblob(length(numbers)) where id = 1", "the 1500 points of train/loss are not"),
        (
            "insert into blocks select null, run, metric, attempt, first_step, last_step, count, minimum, maximum,"
            " steps, epochs, times, numbers from blocks where attempt = 2",
            "events-2.jsonl: 601 points of train/loss in the file, 1202 in the index",
        ),
        ("delete from events where kind = 'alarm'", "events-1.jsonl: 2 events in the file, 1 in the index"),
        ("update events set data = '{}' where kind = 'alarm'", "the 2 events are not those in the index"),
        ("update runs set state = 'failed'", "is finished in attempt 2; the index says failed in attempt 2"),
        ("update files set offset = offset - 1 where name = 'events-2.jsonl'", "bytes are in the index"),
    ],
)
def test_an_index_that_differs(workspace, run, statement, text):
    change(workspace, statement)
    found = look(workspace)
    assert found
    assert {severity for severity, _ in found} == {"error"}
    assert any(text in each for _, each in found)
    index = Index(workspace)
    index.rebuild()
    index.sync()
    index.close()
    assert look(workspace) == []


def test_garbled_lines_and_a_torn_end(workspace, run):
    content = run.events(1).read_bytes().splitlines(keepends=True)
    content[9] = content[9].replace(b'"step":9', b'"step":"9"')
    content[19] = b"\xff\xfe\n"
    content[29] = b'{"t":1,"event":"metrics","step":29,"values":{"train/loss":"low"}}\n'
    run.events(1).write_bytes(b"".join(content) + b'{"t":1,"ev')
    assert look(workspace) == [
        ("error", "events-1.jsonl:10: is no metric line: it needs a time, a step and values"),
        ("error", "events-1.jsonl:20: is not JSON"),
        ("error", "events-1.jsonl:30: train/loss is no number"),
        ("note", "events-1.jsonl: its last line is torn after 10 bytes"),
    ]


def test_a_file_of_no_attempt_and_a_run_that_cannot_be_read(workspace, run):
    (run.path / "events-7.jsonl").write_text("")
    broken = create_run(workspace, SelftestExperiment(name="broken"))
    (broken.path / "experiment.yaml").write_text("kind: selftest\nname: broken\nwidht: 3\n")
    found = look(workspace)
    assert ("error", "events-7.jsonl belongs to no attempt that was queued") in found
    assert any(severity == "note" and "widht" in text for severity, text in found)
    assert len(found) == 2
    (broken.path / "experiment.yaml").write_text("kind: [")
    assert any(severity == "error" and "not valid YAML; put it back" in text for severity, text in look(workspace))


def seal(folder, files):
    """A checkpoint folder as training/sealed_folder.py writes it."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    body = {"format": 1, "files": digests, "content": {"step": 3}}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    (folder / "checkpoint.json").write_text(json.dumps({**body, "sha256": digest}))


def test_checkpoints_that_were_changed_are_found_when_asked(workspace, run):
    for step in range(4):
        seal(run.checkpoints / f"{step}-a1", {"model.safetensors": b"weights" * 100, "vocabulary.json": b"[]"})
    (run.checkpoints / ".5-a1.1.tmp").mkdir()
    assert look(workspace, deep=True) == []
    (run.checkpoints / "0-a1" / "model.safetensors").write_bytes(b"weighty" * 100)
    (run.checkpoints / "1-a1" / "model.safetensors").unlink()
    document = run.checkpoints / "2-a1" / "checkpoint.json"
    document.write_text(document.read_text().replace('"step": 3', '"step": 4'))
    (run.checkpoints / "3-a1" / "checkpoint.json").unlink()
    assert look(workspace) == []
    assert look(workspace, deep=True) == [
        ("error", "checkpoint 0-a1 is damaged: the checksum of model.safetensors differs"),
        ("error", "checkpoint 1-a1 is damaged: model.safetensors is missing"),
        ("error", "checkpoint 2-a1 is damaged: the document with its checksums was changed"),
        ("error", "checkpoint 3-a1 is damaged: no document with its checksums can be read"),
    ]
