"""What an experiment file gets to hear: file, line, key, and what would be right, a line for each problem."""

import pytest

from lovt_core.config.loading import load_experiment
from lovt_core.errors import ConfigError

HEAD = "kind: pretrain\nname: mine\ndata:\n  name: covid-chestxray\n"


@pytest.fixture
def complaint(tmp_path):
    """The message on a file with this content, with `FILE` for the path of the file."""

    def complain(text: str, *overrides: str) -> str:
        file = tmp_path / "mine.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as caught:
            load_experiment(file, overrides)
        return str(caught.value).replace(str(file), "FILE")

    return complain


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("trainig: {max_epochs: 3}", "FILE:5: trainig: unknown key; did you mean 'training'?"),
        ("max_epochs: 3", "FILE:5: max_epochs: unknown key; did you mean 'training.max_epochs'?"),
        (
            "training:\n  batch_size: 4\n  max_epoch: 3",
            "FILE:7: training.max_epoch: unknown key; did you mean 'max_epochs'?",
        ),
        (
            "training:\n  optimiser: {zzz: 3}",
            "FILE:6: training.optimiser.zzz: unknown key; known keys: name, learning_rate, weight_decay, gradient_clip",
        ),
        (
            "method:\n  objective:\n    globl: null",
            "FILE:7: method.objective.globl: unknown key; did you mean 'global'?",
        ),
    ],
)
def test_unknown_key_leads_to_the_nearest(complaint, section, message):
    assert complaint(HEAD + section) == message


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "training: {precision: bf-16}",
            "FILE:5: training.precision: unknown value 'bf-16': one of fp32, bf16, fp16; did you mean 'bf16'?",
        ),
        (
            "method: {name: mae}",
            "FILE:5: method.name: unknown value 'mae': one of lovt, simclr, byol, pixelpro, supervised",
        ),
        (
            "method: {image_encoder: {stride: 12}}",
            "FILE:5: method.image_encoder.stride: unknown value 12: one of 4, 8, 16, 32",
        ),
        ("training: {max_epochs: many}", "FILE:5: training.max_epochs: must be a whole number, not 'many'"),
        ("training: {max_epochs: 2.5}", "FILE:5: training.max_epochs: must be a whole number, not 2.5"),
        ("training: {max_epochs: }", "FILE:5: training.max_epochs: must be a whole number, not empty"),
        ("training: {max_epochs: 0}", "FILE:5: training.max_epochs: must be at least 1, not 0"),
        ("training: {max_epochs: true}", "FILE:5: training.max_epochs: must be a number, not true or false"),
        (
            "training: {checkpoint_every_minutes: 0}",
            "FILE:5: training.checkpoint_every_minutes: must be above 0, not 0",
        ),
        ("training: fast", "FILE:5: training: must be a section of keys, not 'fast'"),
        ("training: [fast]", "FILE:5: training: must be a section of keys, not a list"),
        ("training: {keep_state: maybe}", "FILE:5: training.keep_state: must be true or false, not 'maybe'"),
        ("training: {device: 0}", "FILE:5: training.device: must be text, not 0: put it in quotes"),
        ("training: {device: {}}", "FILE:5: training.device: must be text, not a section"),
        (
            "training: {optimiser: {learning_rate: .nan}}",
            "FILE:5: training.optimiser.learning_rate: must be a finite number, not nan",
        ),
        ("augmentation: {image: {flip: 1.5}}", "FILE:5: augmentation.image.flip: must be at most 1, not 1.5"),
        ("augmentation: {image: {translation: 1}}", "FILE:5: augmentation.image.translation: must be below 1, not 1"),
        ("augmentation: {image: {crop_area: 0.6}}", "FILE:5: augmentation.image.crop_area: must be a list, not 0.6"),
        (
            "augmentation: {image: {crop_area: [0.6, x]}}",
            "FILE:5: augmentation.image.crop_area[1]: must be a number, not 'x'",
        ),
        ("augmentation: {image: {crop_area: [0.6]}}", "FILE:5: augmentation.image.crop_area[1]: is missing"),
        (
            "augmentation: {image: {crop_area: [0.6, 0.8, 1.0]}}",
            "FILE:5: augmentation.image.crop_area: must have at most 2 values, not 3",
        ),
        (
            "augmentation: {image: {crop_area: [1.0, 0.6]}}",
            "FILE:5: augmentation.image.crop_area: the smallest value 1 is above the largest one 0.6",
        ),
        (
            "training: {schedule: {name: plateau, warmup_steps: 3}}",
            "FILE:5: training: schedule 'plateau' has no warm-up: set schedule.warmup_steps to 0",
        ),
        (
            "method: {objective: {global: null, regions: null, sentences: null}}",
            "FILE:5: method: objective has no loss: give at least one of global, regions, sentences",
        ),
        (
            "method: {report_encoder: {tiny: {width: 10, heads: 3}}}",
            "FILE:5: method.report_encoder.tiny: heads 3 does not divide width 10",
        ),
    ],
)
def test_wrong_value_meets_what_would_be_right(complaint, section, message):
    assert complaint(HEAD + section) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: mine\n", "FILE: kind: is missing: one of pretrain, evaluate, selftest"),
        (
            "# mine\nkind: pretrian\n",
            "FILE:2: kind: unknown value 'pretrian': one of pretrain, evaluate, selftest; did you mean 'pretrain'?",
        ),
        ("kind: [pretrain]\n", "FILE:1: kind: unknown value a list: one of pretrain, evaluate, selftest"),
        ("kind: pretrain\nname: mine\n", "FILE: data: is missing"),
        ("kind: pretrain\nname: mine\ndata: {split: patient:1}\n", "FILE:3: data.name: is missing"),
        (
            "kind: evaluate\nname: mine\nencoder: {source: random}\ntasks: []\n",
            "FILE:4: tasks: must have at least 1 value, not 0",
        ),
        (
            "kind: selftest\nname: My Run\n",
            "FILE:2: name: 'My Run' is not a name: give small letters, digits, '.', '_' and '-', at most 64, the "
            "first a letter or a digit",
        ),
        ("kind: selftest\nselftest: {width: 0}\n", "FILE:2: selftest.width: must be at least 1, not 0"),
        ("kind: selftest\nselftest: {widht: 8}\n", "FILE:2: selftest.widht: unknown key; did you mean 'width'?"),
    ],
)
def test_kinds_have_their_own_keys(complaint, text, message):
    assert complaint(text) == message


def test_all_problems_are_listed_at_once(complaint):
    lines = complaint(HEAD + "seed: -1\ntraining:\n  max_epochs: x\n  batchsize: 3\n").splitlines()
    assert lines == [
        "FILE:5: seed: must be at least 0, not -1",
        "FILE:7: training.max_epochs: must be a whole number, not 'x'",
        "FILE:8: training.batchsize: unknown key; did you mean 'batch_size'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "kind: pretrain\nname: [a\n",
            "FILE:3: not valid YAML: expected ',' or ']', but got '<stream end>' while parsing",
        ),
        ("kind: a: b\n", "FILE:1: not valid YAML: mapping values are not allowed here"),
        ("kind: a\n\tname: b\n", "FILE:2: not valid YAML: found character '\\t' that cannot start any token"),
        ("kind: a\nname: a\nkind: b\n", "FILE:3: kind: this key is given twice"),
        ("kind: a\ndata:\n  name: a\n  name: a\n", "FILE:4: name: this key is given twice"),
        ("kind: a\nname: \x07\n", "FILE:2: a character that YAML does not allow, U+0007"),
        (
            "kind: a\n---\nkind: b\n",
            "FILE:2: not valid YAML: expected a single document in the stream but found another",
        ),
        ("kind: *nothing\n", "FILE:1: not valid YAML: found undefined alias 'nothing'"),
        ("--- &a\nkind: *a\n", "FILE: an alias (*) refers to the section that it stands in"),
        ("", "FILE is empty: an experiment file has at least the keys kind and name"),
        ("# only a comment\n", "FILE is empty"),
        ("- pretrain\n", "FILE is no experiment file: it must be a mapping of keys to values"),
        ("pretrain", "FILE is no experiment file: it must be a mapping of keys to values"),
        (b"\xff\xfek\x00", "FILE is not a text file in UTF-8"),
    ],
)
def test_broken_file_is_one_line(complaint, text, message):
    heard = complaint(text)
    assert heard.startswith(message)
    assert "\n" not in heard


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.max_epochs", "override 'training.max_epochs' is not of the form key.path=value"),
        ("=3", "override '=3' is not of the form key.path=value"),
        ("seed=[1", "override 'seed=[1': the value is not valid YAML"),
        ("seed=x", "--set seed=x: seed: must be a whole number, not 'x'"),
        ("training.max_epochs=", "--set training.max_epochs=: training.max_epochs: must be a whole number, not empty"),
        (
            "trainig.max_epochs=3",
            "--set trainig.max_epochs=3: trainig: unknown key; did you mean 'training'?",
        ),
        ("seed.low=3", "--set seed.low=3: seed: must be a whole number, not a section"),
        ("data={}", "--set data={}: data.name: is missing"),
    ],
)
def test_bad_override_is_named(complaint, override, message):
    assert complaint(HEAD, override) == message


def test_device_split_and_batch_size_are_checked(complaint):
    assert complaint(HEAD + "training: {device: tpu}") == (
        "FILE:5: training.device: 'tpu' is no device: write auto, cpu or cuda"
    )
    assert complaint(HEAD + "  split: official") == (
        "FILE:5: data.split: unknown split 'official': write auto, published, download, lists:HASH, or "
        "patient:SEED with a whole number, for example patient:0"
    )
    assert complaint(HEAD + "training: {batch_size: 1}") == (
        "FILE: training.batch_size must be at least 2: the other pairs of a batch are the negatives"
    )
