"""`lovt show` of a run that was resumed: what each attempt has said alike is there once, alarms and notes by name."""

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import Workspace
from lovt_core.values import Alarm, Note


def test_equal_notes_and_alarms_are_shown_once(lovt, tmp_path):
    workspace = Workspace(tmp_path / "lovt-workspace")
    workspace.runs.mkdir(parents=True)
    run = create_run(workspace, SelftestExperiment())
    append_control(run.control, record("queued", 2))
    for attempt in (1, 2):
        writer = EventWriter(run.events(attempt))
        writer.write("started", {"host": "node"})
        for value in (Note("split of the download"), Alarm("loss is not finite")):
            writer.write(*encode_value(value))
        writer.write_last_word("stopped")
        writer.close()
    lines = lovt("show", run.id).out.splitlines()
    assert [line for line in lines if line.startswith(("note: ", "alarm: "))] == [
        "note: split of the download",
        "alarm: loss is not finite",
    ]
