"""The shipped files of LoVT, CLIP, ConVIRT and the ablations against PROTOCOL B.2 and B.3, setting by setting."""

import pytest

from lovt_core.config.loading import load_experiment, shipped_folder
from lovt_core.results.published import load_published

FOLDER = shipped_folder() / "pretraining"
SWAPS, ONE = (0.6, "all"), (0.0, "one")
BOTH, NONE = ("regions", "sentences"), ()
COSINE, PLATEAU = "cosine-swinging", "plateau"
ATTENTION, AVERAGE, MAX = "attention", "average", "max"
UNIFORM = "uniform"
# pooling of image and report, report augmentation, local losses and their weights, global loss, norm, rate, schedule
PUBLISHED = {
    "lovt-30": (ATTENTION, ATTENTION, SWAPS, BOTH, ATTENTION, True, "batch", 1e-4, COSINE),
    "lovt-100": (ATTENTION, ATTENTION, SWAPS, BOTH, ATTENTION, True, "batch", 1e-4, COSINE),
    "clip-30": (ATTENTION, MAX, ONE, NONE, None, True, "batch", 1e-4, COSINE),
    "clip-100": (ATTENTION, MAX, ONE, NONE, None, True, "batch", 1e-4, COSINE),
    "convirt-30": (AVERAGE, MAX, ONE, NONE, None, True, "none", 1e-5, PLATEAU),
    "convirt-100": (AVERAGE, MAX, ONE, NONE, None, True, "none", 1e-4, PLATEAU),
    "ablations/no_l": (ATTENTION, ATTENTION, SWAPS, NONE, None, True, "batch", 1e-4, COSINE),
    "ablations/no_g": (ATTENTION, MAX, SWAPS, BOTH, UNIFORM, False, "batch", 1e-4, COSINE),
    "ablations/no_weight": (ATTENTION, ATTENTION, SWAPS, BOTH, UNIFORM, True, "batch", 1e-4, COSINE),
    "ablations/no_weight_no_att": (AVERAGE, MAX, SWAPS, BOTH, UNIFORM, True, "batch", 3e-5, COSINE),
    "ablations/no_spatial": (ATTENTION, ATTENTION, SWAPS, BOTH, ATTENTION, True, "batch", 1e-4, COSINE),
    "ablations/g_only": (AVERAGE, MAX, SWAPS, NONE, None, True, "batch", 3e-4, COSINE),
    "ablations/g_single_sent_att": (ATTENTION, MAX, ONE, NONE, None, True, "batch", 1e-4, COSINE),
    "ablations/convirt_lr": (AVERAGE, MAX, ONE, NONE, None, True, "none", 3e-5, COSINE),
    "ablations/no_coslr": (ATTENTION, ATTENTION, SWAPS, BOTH, ATTENTION, True, "batch", 3e-5, PLATEAU),
}
PRESUMED = {"ablations/no_l_scan": ("sentences",), "ablations/no_l_report": ("regions",)}


def load(name):
    return load_experiment(FOLDER / f"{name}.yaml")


def test_every_file_of_these_methods_is_checked():
    files = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.yaml")}
    paired = {name for name in files if load(name).method.name == "lovt"}
    assert paired - {"covid-chestxray"} == set(PUBLISHED) | set(PRESUMED)
    assert {load(name).name for name in files} == {name.removeprefix("ablations/") for name in files}


@pytest.mark.parametrize("name", PUBLISHED)
def test_settings_are_the_published_ones(name):
    experiment = load(name)
    method, training, report = experiment.method, experiment.training, experiment.augmentation.report
    objective = method.objective
    local = tuple(part for part in BOTH if getattr(objective, part) is not None)
    found = (
        method.image_encoder.pooling,
        method.report_encoder.pooling,
        (report.swap_probability, report.sentences),
        local,
        objective.local_weights if local else None,
        objective.global_ is not None,
        method.projection.norm,
        training.optimiser.learning_rate,
        training.schedule.name,
    )
    assert found == PUBLISHED[name]
    assert experiment.data.train_fraction == (1.0 if name.endswith("-100") else 0.3)
    if objective.regions is not None:
        regions = objective.regions
        assert (regions.threshold_type, regions.distance_threshold) == ("relative", 0.5)
        assert regions.smoothing == (name != "ablations/no_spatial")
    if training.schedule.name == PLATEAU:
        assert (training.schedule.patience, training.schedule.factor) == (12, 0.5)


@pytest.mark.parametrize("name", PUBLISHED)
def test_training_is_the_published_one(name):
    training = load(name).training
    found = (training.optimiser.name, training.accumulate, training.max_epochs, training.early_stopping.patience)
    assert found == (("adam", 1, 500, 15) if name.startswith("convirt-") else ("adamw", 16, 100, 10))
    assert (training.batch_size, training.optimiser.weight_decay) == (32, 1e-6)
    assert (training.early_stopping.min_delta, training.optimiser.gradient_clip) == (1e-5, None)


@pytest.mark.parametrize(("name", "left"), PRESUMED.items())
def test_presumed_ones_lack_one_local_loss_and_nothing_else(name, left):
    experiment, lovt = load(name), load("lovt-30")
    objective = experiment.method.objective
    assert tuple(part for part in BOTH if getattr(objective, part) is not None) == left
    (gone,) = set(BOTH) - set(left)
    restored = objective.model_copy(update={gone: getattr(lovt.method.objective, gone)})
    method = experiment.method.model_copy(update={"objective": restored})
    assert experiment.model_copy(update={"name": lovt.name, "method": method}) == lovt


def test_one_ablation_is_clip():
    renamed = load("ablations/g_single_sent_att").model_copy(update={"name": "clip-30"})
    assert renamed == load("clip-30")


@pytest.mark.parametrize("name", ["no_l_scan", "no_l_report"])
def test_a_presumed_file_says_so(name):
    text = (FOLDER / "ablations" / f"{name}.yaml").read_text(encoding="utf-8")
    assert "presumed" in text


ROWS = {
    "lovt": "LoVT",
    "clip": "CLIP",
    "convirt": "ConVIRT",
    "byol": "BYOL",
    "simclr": "SimCLR",
    "pixelpro": "PixelPro",
    "supervised": "CheXpert",
}


@pytest.mark.parametrize("method", ROWS)
@pytest.mark.parametrize("percent", [30, 100])
def test_a_file_names_the_published_score(method, percent):
    (score,) = [
        score
        for score in load_published()
        if (score.method, score.pretraining_percent, score.task_number) == (ROWS[method], percent, 5)
    ]
    text = (FOLDER / f"{method}-{percent}.yaml").read_text(encoding="utf-8")
    assert f"{100 * score.mean:.1f} +- {100 * score.ci95:.1f} mAP" in text.replace("\n# ", " ")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: path.stem)
def test_hours_are_told_or_said_to_be_unknown(path):
    if path.stem != "covid-chestxray":  # of no paper
        assert "Hours: " in path.read_text(encoding="utf-8")
