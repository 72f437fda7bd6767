"""Putting imported runs into a workspace: run directories like any other, finished from the start."""

import json
import os
import secrets
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from lovt_core import __version__
from lovt_core.config.experiment import ImportedExperiment
from lovt_core.config.loading import dump_experiment
from lovt_core.errors import RecordError
from lovt_core.files import publish_folder, write_text_atomic
from lovt_core.interop.points import ForeignRun, build_lines, fit_name
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.formats import FORMAT
from lovt_core.runs.lines import encode_line
from lovt_core.runs.locks import holding
from lovt_core.runs.machine import machine_id
from lovt_core.runs.workspace import Workspace


def find_imported(workspace: Workspace) -> dict[str, str]:
    """Fingerprint of what was imported before -> id of its newest run."""
    known = {}
    for run in list_runs(workspace):
        try:
            origin = run.origin()
        except RecordError:
            continue
        if isinstance(imported := origin.get("imported"), dict):
            known[str(imported.get("fingerprint"))] = run.id
    return known


def record_run(workspace: Workspace, foreign: ForeignRun) -> RunDirectory:
    """Write a run directory for a foreign run and put it in place, all or nothing.

    Its id and time of creation are those of its first point, so that it stands among other runs where it belongs.
    """
    name = fit_name(foreign.name)
    experiment = ImportedExperiment(
        name=name, source=str(foreign.source.resolve()), format=foreign.format, config=_plain(foreign.config)
    )
    began = datetime.fromtimestamp(foreign.began)
    path = workspace.runs / f"{began:%Y%m%d-%H%M%S}-{name}-{secrets.token_hex(2)}"
    with holding(workspace.queue_lock), publish_folder(path) as folder:
        write_text_atomic(folder / "experiment.yaml", dump_experiment(experiment))
        write_text_atomic(folder / "origin.json", json.dumps(_origin(path, foreign), indent=1))
        append_control(folder / "control.jsonl", record("queued", 1, reason="imported"))
        _write_events(folder, foreign)
    return RunDirectory(path)


def _write_events(folder: Path, foreign: ForeignRun) -> None:
    descriptor = os.open(RunDirectory(folder).events(1), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(map(encode_line, build_lines(foreign)))


def _origin(path: Path, foreign: ForeignRun) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "created": foreign.began,
        "command": sys.argv,
        "version": __version__,
        "python": sys.version.split()[0],
        "machine": machine_id(),
        "path": str(path),
        "environment": {},
        "git": {},
        "parent": {},
        "imported": {
            "time": time.time(),
            "source": str(foreign.source.resolve()),
            "format": foreign.format,
            "fingerprint": foreign.fingerprint,
        },
    }


def _plain(value: Any) -> Any:
    """Containers and scalars as JSON has them; keys and anything else as text, numbers that are not finite as words."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
