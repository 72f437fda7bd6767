"""Sweep files: what is read, and what is said of wrong ones."""

import pytest

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.loading import change_experiment, load_experiment, shipped_folder, shipped_sweeps
from lovt_core.config.sweep import SweepConfig, order_space
from lovt_core.config.sweep_file import dump_sweep, load_sweep
from lovt_core.config.yaml_text import parse_mapping, plain
from lovt_core.errors import ConfigError
from lovt_core.sweeps.space import params_of, settings_of

WHOLE = """\
kind: sweep
name: weights
experiment: base.yaml
set: {training.max_epochs: 3}
space:
  temperature:
    type: float
    low: 0.05
    high: 0.5
    log: true
    keys: [method.objective.regions.temperature, method.objective.sentences.temperature]
  training.schedule.name: {type: categorical, choices: [cosine, constant]}
  training.schedule.warmup_steps: {type: int, low: 0, high: 20, step: 5, when: {training.schedule.name: cosine}}
  weights:
    type: shares
    total: 2.5
    parts:
      global: [method.objective.global.image_to_report, method.objective.global.report_to_image]
      local: [method.objective.regions.local_to_attended, method.objective.regions.attended_to_local]
objective: {tasks: [covid-linear, rsna-yolo-frozen-10]}
evaluation: {set: {settings.image_size: 96}}
trials: 12
"""
BASE = """\
kind: pretrain
name: base
data: {name: covid-chestxray}
training: {schedule: {name: cosine}}
"""


@pytest.fixture
def write(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)

    def write(text):
        path = tmp_path / "sweep.yaml"
        path.write_text(text)
        return path

    return write


def test_a_whole_file(write):
    sweep = load_sweep(write(WHOLE))
    assert isinstance(sweep.base, PretrainExperiment)
    assert sweep.base.training.max_epochs == 3
    assert sweep.evaluation.settings.image_size == 96
    assert order_space(sweep.config.space)[-1] == "training.schedule.warmup_steps"
    assert not sweep.config.objective[0].is_minimized
    again = SweepConfig.model_validate(plain(parse_mapping(dump_sweep(sweep.config), "again")))
    assert again == sweep.config


SMALL = """\
kind: sweep
name: small
experiment: base.yaml
space:
  training.batch_size: {type: int, low: 2, high: 64, log: true}
objective: {metric: val/loss}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("training.batch_size", "training.batchsize", "5: space.training.batchsize: training.batchsize: unknown key"),
        ("low: 2, high: 64", "low: 64, high: 2", "batch_size: low (64) is above high (2): exchange them"),
        ("low: 2,", "low: 0,", "log has no place for 0: low must be above 0"),
        ("low: 2, high: 64", "low: 8, high: 8", "low and high are both 8: nothing to search"),
        ("log: true", "log: true, step: 2", "log and step exclude each other"),
        ("high: 64, log: true", "high: 64, step: 100", "step (100) is wider than the range from 2 to 64"),
        ("low: 2,", "", "5: space.training.batch_size.low: is missing"),
        ("type: int", "type: whole", "batch_size: type: unknown value 'whole': one of float, int, categorical"),
        ("{type: int, low: 2, high: 64, log: true}", "{type: categorical, choices: [2, four]}", "several types"),
        ("{type: int, low: 2, high: 64, log: true}", "{type: categorical, choices: [2, 2]}", "stands twice"),
        ("low: 2,", "low: -4,", "log has no place for -4"),
        ("{type: int, low: 2, high: 64, log: true}", "{type: int, low: -4, high: 8}", "must be at least 1, not -4"),
        ("{metric: val/loss}", "{metric: val/accuracy}", "6: objective[0]: direction: say whether"),
        ("{metric: val/loss}", "{tasks: [covid-linear], metric: val/loss}", "objective[0]: give either metric or"),
        ("{metric: val/loss}", "{tasks: [covid-linear], direction: minimize}", "leave direction out"),
        ("objective:", "objectives:", "6: objectives: unknown key"),
        ("name: small", "name: small\npruner: {name: wilcoxon}", "wilcoxon compares tasks"),
        ("name: small", "name: small\nsampler: {name: grid}", "a grid needs steps or choices"),
        ("name: small", "name: small\nset: {training.batch_size: 4}", "training.batch_size stands under `set` too"),
        ("name: small", "name: small\nset: {training.max_epoch: 4}", "3: set: training.max_epoch: unknown key; did"),
        ("base.yaml", "bass.yaml", "3: experiment: no experiment file 'bass.yaml'"),
        ("kind: sweep", "kind: pretrain", "1: kind: unknown value 'pretrain': only sweep"),
        ("log: true}", "log: true, when: {x: 1}}", "when: 'x' is no parameter of the space"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(write, old, new, message):
    assert old in SMALL
    path = write(SMALL.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_sweep(path)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}:") or str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize("path", shipped_sweeps(), ids=lambda path: path.stem)
def test_shipped_sweeps_have_their_base_in_their_space(path):
    sweep = load_sweep(path)
    params, problems = params_of(sweep.config.space, sweep.base)
    assert problems == []
    base = flatten(sweep.base.model_dump())
    changed = flatten(change_experiment(sweep.base, settings_of(sweep.config.space, params)).model_dump())
    assert changed.keys() == base.keys()
    for key, value in base.items():
        assert changed[key] == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_ablations_are_those_of_the_shipped_files():
    sweep = load_sweep(shipped_folder() / "sweeps" / "ablations.yaml")
    folder = shipped_folder() / "pretraining" / "ablations"
    files = {path.stem: load_experiment(path) for path in folder.glob("*.yaml")}
    assert set(sweep.config.space["ablation"].choices) == {"lovt-30", *files}
    assert load_experiment(shipped_folder() / "pretraining" / "lovt-30.yaml") == sweep.base
    assert (sweep.config.sampler.name, sweep.config.objective[0].tasks) == ("grid", ("rsna-yolo-frozen-10",))
    assert sweep.config.repeats > 1
    for name, file in files.items():
        trial = change_experiment(sweep.base, settings_of(sweep.config.space, {"ablation": name}))
        assert trial.model_copy(update={"name": name}) == file


def flatten(value, prefix=""):
    if isinstance(value, dict):
        return {name: leaf for key, item in value.items() for name, leaf in flatten(item, f"{prefix}.{key}").items()}
    return {prefix: value}


def test_a_loss_that_the_space_rescales_is_no_objective(write):
    text = SMALL.replace(
        "training.batch_size: {type: int, low: 2, high: 64, log: true}",
        "method.objective.global.temperature: {type: float, low: 0.05, high: 0.5}",
    )
    with pytest.raises(ConfigError, match=r"6: objective: val/loss is another function under each value of method"):
        load_sweep(write(text))


def test_conditions_in_a_circle(write):
    text = SMALL.replace(
        "  training.batch_size: {type: int, low: 2, high: 64, log: true}\n",
        "  training.batch_size: {type: int, low: 2, high: 64, when: {training.accumulate: 2}}\n"
        "  training.accumulate: {type: int, low: 1, high: 4, when: {training.batch_size: 2}}\n",
    )
    with pytest.raises(ConfigError, match=r"`when` leads in a circle: training.batch_size, training.accumulate"):
        load_sweep(write(text))


def test_pruning_with_several_objectives_is_refused(write):
    text = SMALL.replace("{metric: val/loss}", "[{metric: val/loss}, {metric: val/global}]").replace(
        "/global", "/loss_global"
    )
    load_sweep(write(text))
    with pytest.raises(ConfigError, match="with several objectives"):
        load_sweep(write(text + "pruner: {name: median}\n"))


def test_an_evaluation_cannot_be_the_base(write, tmp_path):
    (tmp_path / "base.yaml").write_text("kind: evaluate\nname: e\nencoder: {source: random}\ntasks: [all]\n")
    with pytest.raises(ConfigError, match="is of kind evaluate: a sweep varies a pre-training"):
        load_sweep(write(SMALL))


def test_two_parameters_on_one_key(write):
    text = SMALL.replace("objective:", "  size: {type: int, low: 2, high: 8, keys: [training.batch_size]}\nobjective:")
    with pytest.raises(ConfigError, match=r"space\.size: training\.batch_size is set by training\.batch_size too"):
        load_sweep(write(text))


def refusal(path, overrides=()):
    with pytest.raises(ConfigError) as error:
        load_sweep(path, overrides)
    return str(error.value).removeprefix(f"{path}:")


def test_the_command_line_wins_over_set(write):
    text = SMALL + "set: {training.max_epochs: 3, training.accumulate: 2}\n"
    sweep = load_sweep(write(text), ["training.max_epochs=5", "training.max_epochs=7", "seed=4"])
    assert (sweep.base.training.max_epochs, sweep.base.training.accumulate, sweep.base.seed) == (7, 2, 4)
    assert sweep.config.set == {"training.accumulate": 2, "training.max_epochs": 7, "seed": 4}
    assert "training.max_epochs: 7" in dump_sweep(sweep.config)
    again = load_sweep(write(text))
    assert again.base.training.max_epochs == 3


def test_options_and_set_may_need_each_other(write):
    text = SMALL + "set: {training.schedule.name: constant}\n"
    with_warmup = load_sweep(write(text), ["training.schedule.warmup_steps=5"])
    assert with_warmup.base.training.schedule.warmup_steps == 5
    assert "7: set: training.max_epochs: must be a whole number" in refusal(
        write(SMALL + "set: {training.max_epochs: many}\n"), ["seed=3"]
    )
    wrong = refusal(write(text), ["training.max_epoch=5"])
    assert wrong.startswith("--set training.max_epoch=5: training.max_epoch: unknown key; did you mean 'max_epochs'")
    assert refusal(write(text), ["training.max_epochs"]) == (
        "override 'training.max_epochs' is not of the form key.path=value"
    )


@pytest.mark.parametrize("option", ["training.batch_size=4", "training={batch_size: 4}"])
def test_options_for_what_is_searched_are_refused(write, option):
    assert refusal(write(SMALL), [option]) == (
        f"--set {option}: the sweep searches space.training.batch_size: leave the option out"
    )


@pytest.mark.parametrize("more", ["", ", step: 2", ", step: 0.5"])
def test_real_numbers_for_a_whole_key_are_refused_though_the_ends_would_do(write, more):
    text = SMALL.replace("{type: int, low: 2, high: 64, log: true}", f"{{type: float, low: 2, high: 64{more}}}")
    assert refusal(write(text)) == (
        "5: space.training.batch_size: training.batch_size takes whole numbers only: write type: int"
    )


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{type: int, low: 2, high: 9007199254740993}", "5: space.training.batch_size: high is beyond 2^53"),
        ("{type: int, low: -100000000000000000, high: 4}", "low is beyond 2^53"),
        ("{type: float, low: -1.7e308, high: 1.7e308}", "wider than numbers reach"),
        ("{type: int, lower: 2, high: 64}", "5: space.training.batch_size.lower: unknown key; did you mean 'low'?"),
        ("{type: intt, low: 2, high: 64}", "unknown value 'intt': one of float, int, categorical, shares; did you"),
        ("{type: int, low: 2, high: 64, when: [x]}", "when: must be keys with values, such as {training.schedule.name"),
        ("5", "5: space.training.batch_size: must be a section of keys, not 5"),
    ],
)  # fmt: skip
def test_ranges_and_keys_of_parameters(write, space, message):
    assert message in refusal(write(SMALL.replace("{type: int, low: 2, high: 64, log: true}", space)))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("trails: 3", "7: trails: unknown key; did you mean 'trials'?"),
        ("sampler: {nam: tpe}", "7: sampler.nam: unknown key; did you mean 'name'?"),
        ("evaluation: {x: 1}", "7: evaluation.x: unknown key; known keys: experiment, set"),
        ("set: [training.max_epochs]", "7: set: must be keys with values, such as {training.max_epochs: 20}"),
        ("trials: 3\npruner: {name: wilcoxon}", "8: pruner.name: wilcoxon compares tasks"),
        ("sampler:\n  name: grid", "8: sampler.name: a grid needs steps or choices"),
        ("pruner: {name: median, warmup_epochs: -1}", "7: pruner.warmup_epochs: must be at least 0"),
    ],
)
def test_keys_of_the_sweep_with_their_lines(write, more, message):
    assert refusal(write(f"{SMALL}{more}\n")).startswith(message)


def test_lines_inside_a_list_of_objectives(write):
    listed = "objective:\n  - {metric: val/loss}\n  - metric: val/top1\n    directon: maximize"
    text = SMALL.replace("objective: {metric: val/loss}", listed)
    assert "9: objective[1].directon: unknown key; did you mean 'direction'?" in refusal(write(text))


def test_the_same_objective_twice(write):
    twice = "[{metric: val/loss}, {metric: val/loss, direction: minimize}]"
    message = "6: objective[1]: is the same as objective 1, val/loss: leave one out"
    assert refusal(write(SMALL.replace("{metric: val/loss}", twice))) == message
    tasks = "[{tasks: [covid-linear, nih-linear]}, {tasks: [nih-linear, covid-linear]}]"
    assert "objective[1]: is the same as objective 1" in refusal(write(SMALL.replace("{metric: val/loss}", tasks)))


def test_a_grid_that_nobody_could_go_through(write):
    text = SMALL.replace("{type: int, low: 2, high: 64, log: true}", "{type: int, low: 2, high: 900000000}")
    assert "a grid of 899999999 points is more than 100000" in refusal(write(text + "sampler: {name: grid}\n"))


CONFIGURATIONS = """\
kind: sweep
name: configurations
experiment: base.yaml
space:
  kind-of-training:
    type: categorical
    choices: [as-it-is, no-local, short]
    settings:
      no-local: {method.objective.regions: null, method.objective.sentences: null}
      short: {training.max_epochs: 2}
objective: {tasks: [covid-linear]}
"""


def test_configurations_set_several_keys_each(write):
    sweep = load_sweep(write(CONFIGURATIONS))
    again = SweepConfig.model_validate(plain(parse_mapping(dump_sweep(sweep.config), "again")))
    assert again == sweep.config
    for choice in ("as-it-is", "no-local", "short"):
        changed = change_experiment(sweep.base, settings_of(sweep.config.space, {"kind-of-training": choice}))
        assert (changed.method.objective.regions is None) == (choice == "no-local")
        assert changed.training.max_epochs == (2 if choice == "short" else sweep.base.training.max_epochs)
        assert params_of(sweep.config.space, changed, sweep.base) == ({"kind-of-training": choice}, [])
    other = change_experiment(sweep.base, {"training.max_epochs": 3})
    assert params_of(sweep.config.space, other, sweep.base)[1] == [
        "kind-of-training: the experiment is none of its configurations"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("short]", "long]", "settings: 'short' is no choice: add it to `choices`"),
        ("short]", "short, plain]", "settings: as-it-is and plain have none, so they are the same"),
        ("short: {training.max_epochs: 2}", "short: {}", "at least 1"),
        ("no-local, short]", "no-local, short, null]", "give the choice null one"),
        (
            "short: {training.max_epochs: 2}",
            "short: {method.objective.sentences: null, method.objective.regions: null}",
            "settings: no-local and short are the same: leave one out",
        ),
        ("    settings:", "    keys: [seed]\n    settings:", "leave `keys` out"),
        ("training.max_epochs: 2", "training.max_epoch: 2", "training.max_epoch: unknown key; did you mean"),
        (
            "objective: {tasks",
            "  method.objective.regions.temperature: {type: float, low: 0.1, high: 0.2}\nobjective: {tasks",
            "method.objective.regions.temperature is set by kind-of-training too",
        ),
        ("experiment: base.yaml", "experiment: base.yaml\nset: {training.max_epochs: 3}", "stands under `set` too"),
        ("{tasks: [covid-linear]}", "{metric: val/loss}", "is another function under each value of method.objective"),
    ],
)
def test_wrong_configurations_are_said_with_their_place(write, old, new, message):
    assert old in CONFIGURATIONS
    path = write(CONFIGURATIONS.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_sweep(path)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}:")
