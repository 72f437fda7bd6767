import pytest

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.config.experiment import PretrainExperiment
from lovt_core.errors import ConfigError, DataError, InputError
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.runs.workspace import find_workspace
from lovt_core.values import CheckpointSaved
from lovt_tui.cli.readiness import check_paired_data, resolve_encoder


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("LOVT_PREPARED", raising=False)
    return find_workspace(tmp_path / "lovt-workspace")


def pretraining(**data):
    return PretrainExperiment.model_validate({"name": "mine", "data": {"name": "covid-chestxray", **data}})


def finish(run, *, saved=True):
    append_control(run.control, record("launch", 1))
    writer = EventWriter(run.events(1))
    if saved:
        (run.checkpoints / "3-a1").mkdir(parents=True)
        writer.write(*encode_value(CheckpointSaved("3-a1", 3, is_last=True, is_best=True)))
    writer.write_last_word("finished")
    writer.close()
    return run


def test_last_is_the_newest_pretraining_with_a_checkpoint(workspace):
    with pytest.raises(InputError, match="has no runs yet"):
        resolve_encoder(workspace, "last")
    trained = finish(create_run(workspace, pretraining()))
    finish(create_run(workspace, pretraining()), saved=False)
    evaluation = EvaluateExperiment(name="zz", encoder=EncoderSource(source="random"), tasks=("covid-linear",))
    judged = finish(create_run(workspace, evaluation))
    assert resolve_encoder(workspace, "last") == trained.id
    with pytest.raises(InputError, match=f"run {judged.id} has trained no image encoder"):
        resolve_encoder(workspace, "zz")


def test_a_run_without_a_checkpoint_is_refused(workspace):
    run = finish(create_run(workspace, pretraining()), saved=False)
    with pytest.raises(InputError, match=f"run {run.id} is finished and has no last checkpoint: name another run"):
        resolve_encoder(workspace, run.id, "last")


def test_unknown_and_missing_data_sets(workspace):
    with pytest.raises(ConfigError, match=r"data\.name: unknown data set 'covid-chestxay'; did you mean 'covid-chest"):
        check_paired_data(workspace, pretraining(name="covid-chestxay"))
    with pytest.raises(ConfigError, match=r"data\.exclude_overlap_with: unknown data set 'zzz'; known ones: "):
        check_paired_data(workspace, pretraining(exclude_overlap_with=["zzz"]))
    with pytest.raises(DataError, match="lovt data prepare covid-chestxray --source DIR"):
        check_paired_data(workspace, pretraining())
