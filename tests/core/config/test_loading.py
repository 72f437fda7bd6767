"""Reading experiment files: bases, overrides, shipped files, and writing them out again."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment, EvaluationSettings
from lovt_core.config.experiment import PretrainExperiment, SelftestConfig, SelftestExperiment
from lovt_core.config.loading import (
    dump_experiment,
    find_experiment_file,
    load_experiment,
    load_stored_experiment,
    parse_experiment,
    shipped_experiments,
    shipped_folder,
)
from lovt_core.config.training import OptimiserConfig, TrainingConfig
from lovt_core.errors import ConfigError, RecordError

HEAD = "kind: pretrain\nname: mine\ndata:\n  name: covid-chestxray\n"


@pytest.fixture
def write(tmp_path):
    """Write a file of that name; its path."""

    def write_file(name: str, text: str):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_defaults_are_those_of_the_method(write):
    experiment = load_experiment(write("mine.yaml", HEAD))
    assert experiment == PretrainExperiment(name="mine", data={"name": "covid-chestxray"})


@pytest.mark.parametrize("text", [f"\ufeff{HEAD}", HEAD.replace("\n", "\r\n")], ids=["byte-order mark", "CRLF"])
def test_files_from_other_systems(write, text):
    assert load_experiment(write("mine.yaml", text)).name == "mine"


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001", "1E-3", "'1e-3'"])
def test_numbers_as_people_write_them(write, text):
    file = write("mine.yaml", f"{HEAD}training: {{optimiser: {{learning_rate: {text}}}}}\n")
    assert load_experiment(file).training.optimiser.learning_rate == 0.001


def test_aliases_and_merge_keys(write):
    file = write("mine.yaml", f"{HEAD}training: {{<<: &few {{max_epochs: 2}}, batch_size: 4}}\n")
    training = load_experiment(file).training
    assert (training.max_epochs, training.batch_size) == (2, 4)


def test_base_is_laid_under_section_by_section(write):
    write("root.yaml", f"{HEAD}training: {{max_epochs: 2, batch_size: 4}}\n")
    write("sub/middle.yaml", "base: ../root.yaml\ntraining: {max_epochs: 3, early_stopping: null}\n")
    experiment = load_experiment(write("mine.yaml", "base: sub/middle.yaml\nname: leaf\n"))
    assert experiment.name == "leaf"
    assert (experiment.training.max_epochs, experiment.training.batch_size) == (3, 4)
    assert experiment.training.early_stopping is None


def test_base_may_be_a_shipped_file(write):
    experiment = load_experiment(write("mine.yaml", "base: experiments/tiny/lovt.yaml\nname: mine\n"))
    assert experiment.method.image_encoder.backbone == "test_byobnet"


def test_problem_in_a_base_names_the_base(write):
    base = write("base.yaml", f"{HEAD}seed: x\n")
    with pytest.raises(ConfigError) as caught:
        load_experiment(write("mine.yaml", "base: base.yaml\n"))
    assert str(caught.value) == f"{base}:5: seed: must be a whole number, not 'x'"


@pytest.mark.parametrize("bases", [("a",), ("b", "a"), ("b", "c", "b")])
def test_bases_in_a_circle(write, bases):
    names = ("a", *bases)
    for name, base in zip(names, bases, strict=False):
        write(f"{name}.yaml", f"\nbase: {base}.yaml\n")
    with pytest.raises(
        ConfigError, match=rf"{names[-2]}\.yaml:2: base: leads in a circle, back to .*{names[-1]}\.yaml$"
    ):
        load_experiment(write("a.yaml", f"\nbase: {bases[0]}.yaml\n"))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("[a, b]", "mine.yaml:1: base: must be the path of an experiment file"),
        (
            "tiny/lvt.yaml",
            r"mine.yaml:1: base: no experiment file 'tiny/lvt.yaml'; did you mean experiments/tiny/lovt.yaml\?",
        ),
    ],
)
def test_bad_base(write, base, message):
    with pytest.raises(ConfigError, match=message):
        load_experiment(write("mine.yaml", f"base: {base}\n"))


def test_overrides_win_and_the_last_of_them_most(write):
    overrides = [
        "training.max_epochs=3",
        "seed=1",
        "training.max_epochs=4",
        "data.exclude_overlap_with=[covid-rural]",
        "training.early_stopping=null",
        "training.optimiser.learning_rate=1e-2",
        "training.device=cuda:0",
    ]
    experiment = load_experiment(write("mine.yaml", f"{HEAD}training: {{max_epochs: 2}}\n"), overrides)
    assert (experiment.seed, experiment.training.max_epochs) == (1, 4)
    assert experiment.data.exclude_overlap_with == ("covid-rural",)
    assert experiment.training.early_stopping is None
    assert experiment.training.optimiser.learning_rate == 0.01
    assert experiment.training.device == "cuda:0"


@pytest.mark.parametrize("file", shipped_experiments(), ids=lambda file: str(file.relative_to(shipped_folder())))
def test_every_shipped_file_loads_and_survives_writing(file):
    experiment = load_experiment(file)
    assert parse_experiment(dump_experiment(experiment), "again") == experiment


@pytest.mark.parametrize(
    "name", ["tiny/lovt.yaml", "tiny/lovt", "experiments/tiny/lovt.yaml", "./experiments/tiny/lovt"]
)
def test_shipped_files_are_found_from_anywhere(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert find_experiment_file(name) == shipped_folder() / "tiny/lovt.yaml"


def test_own_file_comes_before_the_shipped_one(write, tmp_path, monkeypatch):
    write("tiny/lovt.yaml", HEAD)
    monkeypatch.chdir(tmp_path)
    assert load_experiment(find_experiment_file("tiny/lovt.yaml")).name == "mine"


def test_absent_file_leads_to_the_nearest(write, tmp_path, monkeypatch):
    write("my-experiment.yaml", HEAD)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match=r"^no experiment file 'my-experimnt.yaml'; did you mean my-experiment.yaml\?$"
    ):
        find_experiment_file("my-experimnt.yaml")
    with pytest.raises(ConfigError, match=r"did you mean experiments/pretraining/covid-chestxray.yaml\?$"):
        find_experiment_file("pretraining/covid-chest-xray.yaml")
    with pytest.raises(ConfigError, match=r"^no experiment file 'zzz'; shipped ones: .*tiny/lovt.yaml"):
        find_experiment_file("zzz")


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=f"cannot read experiment file {tmp_path}: Is a directory"):
        load_experiment(tmp_path)


def test_damaged_stored_experiment_is_the_record_s_fault(write):
    with pytest.raises(RecordError, match=r"experiment.yaml:1: kind: unknown value 'x'"):
        load_stored_experiment(write("experiment.yaml", "kind: x\n"))


names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=200)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
trainings = st.builds(
    TrainingConfig,
    max_steps=st.none() | st.integers(1),
    checkpoint_every_minutes=positive,
    optimiser=st.builds(OptimiserConfig, learning_rate=positive, gradient_clip=st.none() | positive),
    device=st.sampled_from(["auto", "cpu", "cuda", "cuda:1"]),
)
experiments = st.one_of(
    st.builds(
        SelftestExperiment,
        name=names,
        seed=st.integers(0, 2**31 - 1),
        selftest=st.builds(
            SelftestConfig, seconds_per_step=st.floats(0, 1e300), fail_at_step=st.none() | st.integers()
        ),
        training=trainings,
    ),
    st.builds(
        EvaluateExperiment,
        name=names,
        encoder=st.builds(EncoderSource, source=texts, label=st.none() | texts),
        tasks=st.lists(texts, min_size=1, max_size=3).map(tuple),
        settings=st.builds(
            EvaluationSettings, learning_rates=st.none() | st.lists(positive, min_size=1, max_size=4).map(tuple)
        ),
    ),
)


@settings(deadline=None)
@given(experiments)
@example(EvaluateExperiment(name="1e5", encoder=EncoderSource(source="a\x85b\u2028c\r\nd"), tasks=("x: #",)))
def test_written_experiment_reads_back_the_same(experiment):
    assert parse_experiment(dump_experiment(experiment), "again") == experiment
