"""What docs/method.md says about settings must be true of the code."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.loading import load_experiment, shipped_folder

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
DATA = {"name": "any", "data": {"name": "any"}}
DEPARTURES = {"method.padding", "training.precision"}
"""Settings whose default is not the paper's."""


def section(title):
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def read(text):
    return YAML(typ="safe").load(text)


def look_up(experiment, key):
    value = experiment.model_dump(mode="json", by_alias=True)
    for part in key.split("."):
        value = value[part]
    return value


def list_keys(value, prefix=""):
    if not isinstance(value, dict) or not value:
        return [prefix[:-1]]
    return [key for name, inner in value.items() for key in list_keys(inner, f"{prefix}{name}.")]


BASELINES = ("simclr", "byol", "pixelpro", "supervised")
BASELINE_SETTINGS = [
    (cells[1].strip("`"), method, default.strip(" |"))
    for cells in rows(section("SimCLR, BYOL, PixelPro and the supervised baseline"))
    if cells[1].startswith(("`method.", "`augmentation."))
    for method, default in zip(BASELINES, cells[2:], strict=True)
]
SETTINGS = [
    (cells[1].strip("`"), cells[2].strip(" |"), cells[-1].strip(" |"))
    for cells in rows(section("Settings"))
    if cells[1].startswith("`")
]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
ABLATIONS = [cells for cells in rows(section("ConVIRT, CLIP and the ablations")) if cells[1].startswith("`{")]


@pytest.mark.parametrize(("key", "paper", "default"), SETTINGS)
def test_defaults_are_as_documented(key, paper, default):
    assert look_up(PretrainExperiment.model_validate(DATA), key) == read(default)
    assert (read(paper) != read(default)) == (key in DEPARTURES)


@pytest.mark.parametrize(("key", "method", "default"), BASELINE_SETTINGS)
def test_defaults_of_the_baselines_are_as_documented(key, method, default):
    experiment = PretrainExperiment.model_validate(DATA | {"method": {"name": method}})
    keys = list_keys(experiment.model_dump(mode="json", by_alias=True))
    assert (key in keys) == (default != "-")
    if default != "-":
        documented = read(default)
        is_text = re.search("[a-z]", default)
        assert look_up(experiment, key) == (documented if is_text else pytest.approx(documented))


@pytest.mark.parametrize("method", ["lovt", *BASELINES])
def test_every_setting_is_documented(method):
    experiment = PretrainExperiment.model_validate(DATA | {"method": {"name": method}})
    keys = list_keys(experiment.model_dump(mode="json", by_alias=True))
    assert [key for key in keys if f"`{key}`" not in TEXT] == []


def test_both_examples_and_all_ablations_are_found():
    assert len(EXAMPLES) == 2
    assert len(ABLATIONS) == 10
    assert {key for key, _, _ in SETTINGS} > DEPARTURES


@pytest.mark.parametrize("example", EXAMPLES, ids=["clip", "convirt"])
def test_examples_have_no_local_loss(example):
    method = PretrainExperiment.model_validate(DATA | read(example)).method
    assert method.objective.regions is method.objective.sentences is None
    assert method.objective.global_ is not None


@pytest.mark.parametrize(("example", "file"), zip(EXAMPLES, ["clip-100", "convirt-100"], strict=True))
def test_examples_are_the_shipped_files(example, file):
    assert_same_as_shipped(PretrainExperiment.model_validate(DATA | read(example)), file)


def assert_same_as_shipped(documented, file):
    shipped = load_experiment(shipped_folder() / "pretraining" / f"{file}.yaml")
    settings = ("method", "augmentation", "training", "seed")
    assert {key: getattr(documented, key) for key in settings} == {key: getattr(shipped, key) for key in settings}


@pytest.mark.parametrize("cells", ABLATIONS, ids=[cells[0] for cells in ABLATIONS])
def test_ablations_are_valid_settings(cells):
    elsewhere = read(cells[2].strip("`|")) or {}
    experiment = PretrainExperiment.model_validate(DATA | elsewhere | {"method": read(cells[1].strip("`"))})
    assert (experiment == PretrainExperiment.model_validate(DATA | elsewhere)) == (cells[0] == "no_coslr")
    assert_same_as_shipped(experiment, f"ablations/{cells[0]}")


def test_files_it_names_exist():
    for path in set(re.findall(r"`((?:models|methods|objectives|data)/\w+\.py)`", TEXT)):
        assert (ROOT / "lovt_core" / path).is_file(), path


NAMES = sorted(set(re.findall(r"`([A-Z]\w+)(?:\.(\w+))?`", TEXT)) - {("LOVT_VECTORS", "")})


@pytest.mark.parametrize(("name", "attribute"), NAMES)
def test_classes_it_names_exist(name, attribute):
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "lovt_core").rglob("*.py")]
    (source,) = (text for text in sources if re.search(rf"^class {name}\b", text, re.MULTILINE))
    assert not attribute or re.search(rf"\b{attribute}\b(:| =)", source)
