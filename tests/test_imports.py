"""The command line and the dashboard never import what only the worker may: torch and its kin."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "transformers", "timm", "safetensors")
PROGRAM = """
import sys

def heavy():
    return sorted({{name.partition(".")[0] for name in sys.modules}} & {heavy!r})

{body}
print("heavy:", heavy())
"""
COMMAND = """
from lovt_tui.cli.main import main
sys.argv = ["lovt", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
EVERY_MODULE = """
import importlib, pkgutil
import lovt_tui
for module in pkgutil.walk_packages(lovt_tui.__path__, "lovt_tui."):
    importlib.import_module(module.name)
"""
LIGHT_SIDE = """
import importlib, pkgutil
import lovt_core.config, lovt_core.data, lovt_core.interop, lovt_core.results, lovt_core.runs, lovt_core.tasks
for package in (lovt_core.config, lovt_core.data, lovt_core.interop, lovt_core.results, lovt_core.runs):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""


def find_heavy_imports(body: str, folder) -> str:
    """What a process that has run this has imported of the heavy packages."""
    program = PROGRAM.format(heavy=set(HEAVY), body=body)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("module", ["lovt_tui.cli.main", "lovt_tui.main"])
def test_entry_points_are_light(module, tmp_path):
    assert find_heavy_imports(f"import {module}", tmp_path) == "heavy: []"


def test_every_module_of_the_terminal_is_light(tmp_path):
    assert find_heavy_imports(EVERY_MODULE, tmp_path) == "heavy: []"


def test_every_module_of_the_record_and_the_data_is_light(tmp_path):
    assert find_heavy_imports(LIGHT_SIDE, tmp_path) == "heavy: []"


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("runs",), ("runs", "--json"), ("compare", "--published"), ("data", "list"), ("weights", "list")],
    ids=" ".join,
)
def test_commands_are_light(arguments, tmp_path):
    assert find_heavy_imports(COMMAND.format(arguments=arguments), tmp_path) == "heavy: []"


def test_the_check_itself_finds_torch(tmp_path):
    assert find_heavy_imports("import torch", tmp_path) == "heavy: ['torch']"
