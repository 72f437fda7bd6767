"""A workspace with finished evaluations, whose gaps can be filled."""

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.errors import DataError
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter
from lovt_core.runs.workspace import find_workspace
from tests.core.results.factories import encoder, scored_cell


def make_evaluated(tmp_path, monkeypatch, missing=("siim",)):
    """ImageNet and random evaluated on one task; all data prepared but the missing; no scheduler is started."""
    place = find_workspace(tmp_path / "lovt-workspace")
    for source in ("random", "imagenet"):
        add_evaluation(place, source)

    def open_prepared(root, name, size):
        if name in missing:
            raise DataError("not prepared")

    monkeypatch.setattr("lovt_core.data.prepared.open_prepared", open_prepared)
    monkeypatch.setattr("lovt_core.runs.queueing.requests.ensure_scheduler", lambda place: None)
    return place


def add_evaluation(place, source, fingerprint=None):
    """A finished evaluation on one task."""
    experiment = EvaluateExperiment(
        name=f"eval-{source}", encoder=EncoderSource(source=source), tasks=("covid-linear",)
    )
    run = create_run(place, experiment)
    cell = scored_cell(run.id, "covid-linear", experiment, encoder=encoder(source, fingerprint, backbone="resnet50"))
    writer = EventWriter(run.events(1))
    writer.write("result", {"data": cell.data})
    writer.write_last_word("finished")
    writer.close()
