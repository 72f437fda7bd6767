import pytest

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.errors import InputError
from lovt_core.runs.gpus import GB, Gpu, find_missing
from lovt_core.runs.launchers import job
from lovt_core.runs.workspace import find_workspace

GPUS = (Gpu("GPU-aaaa", 0, "T4", 16 * GB, 16 * GB),)


@pytest.mark.parametrize(
    ("device", "gpus", "missing"),
    [
        ("auto", (), None),
        ("cpu", (), None),
        ("cuda", (), "this machine has no GPU: write auto or cpu"),
        ("cuda:7", (), "this machine has no GPU 7: it has none; write auto or cpu"),
        ("cuda:7", GPUS, "this machine has no GPU 7: there are: 0"),
        ("cuda", GPUS, None),
        ("cuda:0", GPUS, None),
    ],
)
def test_which_devices_are_missing(device, gpus, missing):
    assert find_missing(device, gpus) == missing


def test_a_job_for_a_gpu_of_a_machine_without_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "read_gpus", tuple)
    monkeypatch.setattr(job.time, "sleep", lambda seconds: pytest.fail("it waits"))
    asked = SelftestExperiment.model_validate({"training": {"device": "cuda", "precision": "fp32"}})
    with pytest.raises(InputError, match="device 'cuda': this machine has no GPU: write auto or cpu"):
        list(job.run_job(find_workspace(tmp_path / "lovt-workspace"), "check", asked))
