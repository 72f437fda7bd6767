"""Keys that are allowed each by itself and refused together, and who is blamed for it."""

import pytest

from lovt_core.config.loading import change_experiment, dump_experiment, load_experiment, load_stored_experiment
from lovt_core.config.loading import shipped_folder as shipped
from lovt_core.errors import ConfigError
from lovt_tui.forms.checking import check_experiment

TINY = "tiny/lovt.yaml"
NO_WEIGHT = ["method.objective={global: {image_to_report: 0, report_to_image: 0}, regions: null, sentences: null}"]


def refuse(file, *overrides):
    with pytest.raises(ConfigError) as caught:
        load_experiment(shipped() / file, overrides)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("file", "override", "message"),
    [
        (
            "pretraining/supervised-100.yaml",
            "method.labels=[Cardiomegaly, Pneumonja]",
            "method.labels[1]: 'Pneumonja' is no label: did you mean 'Pneumonia'? CheXpert's table has Atelectasis, ",
        ),
        ("pretraining/supervised-100.yaml", "method.labels=[Foo]", "method.labels[0]: 'Foo' is no label: CheXpert's "),
        (
            "pretraining/supervised-100.yaml",
            "method.labels=[Edema, Edema]",
            "method: labels: 'Edema' stands twice",
        ),
        (TINY, NO_WEIGHT[0], "method.objective: the weights of all its losses are 0, so nothing would be learnt"),
        (
            TINY,
            "data.image_size=32",
            "data.image_size: 32 pixels are a single region at stride 32, which has no",
        ),
        (
            TINY,
            "method.report_encoder.frozen_layers=99",
            "method.report_encoder.frozen_layers: is 99, but 'tiny' has",
        ),
        (
            TINY,
            "method.report_encoder.num_heads=5",
            "num_heads: is 5, which does not divide the width 64 of the encoder",
        ),
        (TINY, "training.precision=fp16", "training.precision: 'fp16' needs a GPU, and training.device is cpu"),
        (
            "pretraining/simclr-100.yaml",
            "augmentation.report.sentences=one",
            "sentences: is not read by simclr",
        ),
        ("pretraining/byol-100.yaml", "augmentation.image.flip=0.1", "augmentation.image.flip: is not read by byol, "),
        (
            "pretraining/supervised-100.yaml",
            "augmentation.report.swap_sides=true",
            "is not read by supervised",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_the_option_named(file, override, message):
    (line,) = refuse(file, override)
    assert line.startswith(f"--set {override}: ")
    assert message in line


def test_what_a_method_reads_may_be_set():
    flipped = load_experiment(shipped() / "pretraining/supervised-100.yaml", ["augmentation.image.flip=0.1"])
    assert flipped.augmentation.image.flip == 0.1
    viewed = load_experiment(shipped() / "pretraining/byol-100.yaml", ["augmentation.views.flip=0.1"])
    assert viewed.augmentation.views.flip == 0.1


def test_labels_of_a_groups_own_pairs_have_any_name():
    own = load_experiment(
        shipped() / "pretraining/supervised-100.yaml", ["data.name=paired-csv", "method.labels=[Tension]"]
    )
    assert own.method.labels == ("Tension",)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.cpu_processes=2", "cpu_processes: training.accumulate is 1, which 2 processes"),
        ("method.report_encoder.pooling=max", "needs report_encoder.pooling 'attention' for the sentences loss"),
        ("training.schedule.name=plateau", "schedule 'plateau' has no warm-up"),
        ("training.batch_size=1", "training.batch_size must be at least 2"),
    ],
)
def test_an_error_over_several_keys_names_the_option_that_caused_it(override, message):
    (line,) = refuse(TINY, "seed=7", override)
    assert line.startswith(f"--set {override}: ")
    assert message in line


def test_keys_of_another_method_are_said_once():
    (line,) = refuse(TINY, "method.name=simclr")
    assert line.startswith("--set method.name=simclr: method.name: simclr reads no reports: it has no report_encoder, ")
    assert f"drop what stands at {shipped() / TINY}:" in line
    assert line.endswith("or start from a file of that method, such as experiments/pretraining/simclr-100.yaml")


def test_a_stored_experiment_is_read_whatever_fits(tmp_path):
    fine = load_experiment(shipped() / "pretraining/byol-100.yaml")
    stored = tmp_path / "experiment.yaml"
    stored.write_text(dump_experiment(fine).replace("swap_probability: 0.6", "swap_probability: 0.3"))
    read = load_stored_experiment(stored)
    assert read.augmentation.report.swap_probability == 0.3
    assert change_experiment(read, {"training.max_epochs": 3}).training.max_epochs == 3
    with pytest.raises(ConfigError, match=r"augmentation\.image\.flip: is not read by byol"):
        change_experiment(read, {"augmentation.image.flip": 0.1})


def test_the_form_says_it_at_the_key():
    document = load_experiment(shipped() / TINY).model_dump(mode="json", by_alias=True)
    document["method"]["report_encoder"]["frozen_layers"] = 99
    asked, problems = check_experiment(document)
    assert asked is None
    assert [problem.text for problem in problems] == [
        "method.report_encoder.frozen_layers: is 99, but 'tiny' has 2 layers"
    ]
