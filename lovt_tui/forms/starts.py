"""Where a form can begin: experiment and sweep files, and past runs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_core.errors import ConfigError, InputError
from lovt_tui.forms.drafts import Start

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace


def read_start(text: str) -> Start:
    """The file at a path, or the shipped one of that name; raises ConfigError when it is no YAML mapping.

    A file whose base is not there, or that does not validate, can still be edited.
    """
    from lovt_core.config.loading import find_experiment_file, find_sweep_file

    text = text.strip()
    if not text:
        raise InputError("no file is named: pick one of the list, or type its path")
    try:
        path = find_experiment_file(text)
    except ConfigError as error:
        try:
            path = find_sweep_file(text)
        except ConfigError:
            raise error from None
    return read_file(path, text)


def read_file(path: Path, name: str) -> Start:
    """An experiment or sweep file; raises ConfigError when it is no YAML mapping."""
    from lovt_core.config.experiment import Experiment
    from lovt_core.config.loading import stamp_files
    from lovt_core.config.weight_paths import write_out_paths
    from lovt_core.config.yaml_text import plain, read_mapping
    from lovt_tui.forms.fields import spell_out

    own = plain(read_mapping(path))
    if own.get("kind") == "sweep":
        return Start("sweep", name, _list_objectives(own), path)
    try:
        files = list(stamp_files(path))
    except ConfigError as error:
        return Start("experiment", name, spell_out(Experiment, own), path, problem=str(error))
    merged: dict[str, Any] = {}
    for file in reversed(files):
        content = plain(read_mapping(Path(file)))
        write_out_paths(content, Path(file).parent)
        merged = _merge(merged, content)
    merged.pop("base", None)
    return Start("experiment", name, spell_out(Experiment, merged), path)


def read_run(workspace: "Workspace", run_id: str) -> Start:
    """The experiment of a run; raises InputError when it is gone or was never one that can start here."""
    path = workspace.runs / run_id / "experiment.yaml"
    if not path.is_file():
        raise InputError(f"run {run_id} is gone: there is no {path}")
    start = read_file(path, run_id)
    if start.document.get("kind") == "imported":
        raise InputError(f"run {run_id} was imported: another program has made it, and nothing here can start it")
    return replace(start, run_id=run_id)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Section by section, as bases are merged."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return merged


def _list_objectives(document: dict[str, Any]) -> dict[str, Any]:
    """A single objective as a list of one."""
    objective = document.get("objective")
    return {**document, "objective": [objective]} if isinstance(objective, dict) else document
