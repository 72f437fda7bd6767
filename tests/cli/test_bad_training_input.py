"""What cannot be trained is refused before a run is queued: one sentence on stderr, exit code 2."""

import pytest

from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.runs.gpus import GB, Gpu

TINY = "tiny/lovt.yaml"
GPU = Gpu("GPU-aaaa", 0, "H100", 80 * GB, 79 * GB)


@pytest.fixture(scope="module")
def prepared_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    for name in ("covid-chestxray", "covid-rural", "mimic-cxr"):
        synthesize(folder / name, Synthesis(name, 40, 64, workers=1), lambda progress: None)
        prepare(name, folder / name, folder / "prepared", PrepareOptions(size=64, workers=1), lambda progress: None)
    return folder / "prepared"


@pytest.fixture
def refused(lovt, prepared_root, monkeypatch, tmp_path):
    """Run a command on the prepared data; what it says on stderr. It must leave no run and nothing on stdout."""
    monkeypatch.setenv("LOVT_PREPARED", str(prepared_root))

    def ask(*arguments):
        answer = lovt(*arguments)
        assert answer.code == 2, answer
        assert answer.out == ""
        assert "Traceback" not in answer.err
        assert not list((tmp_path / "lovt-workspace" / "runs").glob("*"))
        (sentence,) = answer.err.strip().splitlines()
        return sentence

    return ask


@pytest.mark.parametrize(
    ("file", "settings", "words"),
    [
        (TINY, ("training.batch_size=1",), "the other pairs of a batch are the negatives"),
        ("pretraining/simclr-30.yaml", ("training.batch_size=1",), "the other images of a batch are the negatives"),
        ("pretraining/byol-30.yaml", ("training.batch_size=1",), "batch norms of the projections have no statistics"),
        (TINY, ("data.name=covid-rural",), "'covid-rural' has masks instead of reports"),
        ("pretraining/supervised-30.yaml", ("data.name=covid-chestxray",), "mimic-cxr has labels where"),
        (TINY, ("training.batch_size=512",), "training.batch_size is 512, more than the training pairs that are left"),
        ("pretraining/simclr-30.yaml", ("training.batch_size=512",), "more than the training images that are left"),
        (TINY, ("training.device=cuda",), "training.device: this machine has no GPU: write auto or cpu"),
        (TINY, ("training.device=cuda:7",), "training.device: this machine has no GPU 7: it has none; write auto or"),
    ],
)
@pytest.mark.parametrize("command", ["pretrain", "check", "launch"])
def test_refused_in_one_sentence(refused, monkeypatch, command, file, settings, words):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", tuple)
    overrides = [part for setting in settings for part in ("--set", setting)]
    assert words in refused(command, file, *overrides)


def test_a_gpu_that_is_not_there_beside_one_that_is(refused, monkeypatch):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", lambda: (GPU,))
    sentence = refused("pretrain", TINY, "--set", "training.device=cuda:1")
    assert "training.device: this machine has no GPU 1: there are: 0" in sentence


def test_the_gpu_of_an_evaluation_too(refused, monkeypatch):
    monkeypatch.setattr("lovt_core.runs.gpus.read_gpus", tuple)
    sentence = refused("evaluate", "random", "--task", "covid-linear", "--set", "device=cuda:0")
    assert "device: this machine has no GPU 0" in sentence
