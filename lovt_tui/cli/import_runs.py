"""`lovt import`: runs and results of other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.interop.points import ForeignRun
    from lovt_core.interop.sources import Source
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Folders or files: TensorBoard event files, CSV of metrics, offline W&B runs."
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name of the run [default: as the source calls it].")
    ] = None,
    results: Annotated[
        bool, typer.Option("--results", help="The files are test scores for lovt compare, not metrics of runs.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Import what was imported before once more; with --results replace the file."),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import runs of other programs: they are listed, drawn and exported like one's own, but cannot be resumed.

    Event files in one folder are one run. A CSV has a column step, and metrics in columns of their own or in `metric`
    and `value`. With --results the scores of encoders on tasks become rows of lovt compare, marked as imported.

    \b
    Example: lovt import lightning_logs wandb/offline-run-20260131_120000-abc
    """
    from lovt_core.errors import InputError

    place = get_workspace(workspace)
    if not results:
        _import_runs(place, paths, name, again=again, as_json=as_json)
        return
    if name is not None:
        raise InputError("--name names runs: result files keep their own names")
    _import_results(place, paths, again=again, as_json=as_json)


def _import_runs(place: "Workspace", paths: list[Path], name: str | None, *, again: bool, as_json: bool) -> None:
    from lovt_core.errors import InputError
    from lovt_core.interop.recording import find_imported
    from lovt_core.interop.sources import find_sources

    sources = [source for path in paths for source in find_sources(path)]
    if name is not None and len(sources) > 1:
        raise InputError(f"--name names one run: there are {len(sources)} at these paths")
    done = _Import(place, name, {} if again else find_imported(place))
    with get_console(stderr=True).status("importing ...") as status:
        for source in sources:
            status.update(f"importing {source.path} ...")
            done.take(source)
    if as_json:
        print_json({"imported": done.imported, "known": done.known, "failed": done.failed})
    else:
        _print(done)
    if done.failed:
        raise InputError("\n".join(done.failed))
    if not done.imported:
        raise InputError("nothing new: all of it was imported before; give --again to import it once more")


class _Import:
    """The sources one after the other, and what has become of them."""

    def __init__(self, place: "Workspace", name: str | None, fingerprints: dict[str, str]) -> None:
        self._place = place
        self._name = name
        self._fingerprints = fingerprints
        self.imported: list[dict[str, Any]] = []
        self.known: dict[str, str] = {}
        """Source -> run that it was imported as."""
        self.failed: list[str] = []

    def take(self, source: "Source") -> None:
        """Import the runs of a source that are new; one that cannot be read is noted and leaves the others alone."""
        from dataclasses import replace

        from lovt_core.errors import InputError
        from lovt_core.interop.recording import record_run
        from lovt_core.interop.sources import read_source

        try:
            found = read_source(source)
        except InputError as error:
            if str(error) not in self.failed:  # a missing package is one reason for many
                self.failed.append(str(error))
            return
        if self._name is not None and len(found) > 1:
            raise InputError(f"--name names one run: {source.path} holds {len(found)}")
        for run in found:
            if run.fingerprint in self._fingerprints:
                self.known[f"{source.path} ({run.name})"] = self._fingerprints[run.fingerprint]
                continue
            named = replace(run, name=self._name) if self._name is not None else run
            recorded = record_run(self._place, named)
            self._fingerprints[run.fingerprint] = recorded.id
            self.imported.append(_describe(recorded, named))


def _describe(recorded: "RunDirectory", run: "ForeignRun") -> dict[str, Any]:
    return {
        "run": recorded.id,
        "format": run.format,
        "source": run.source,
        "metrics": run.metrics,
        "points": len(run.points),
        "notes": run.notes,
    }


def _print(done: _Import) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("run", "format", "points", "metrics", box=None, pad_edge=False)
    for each in done.imported:
        metrics = ", ".join(each["metrics"][:4]) + (", ..." if len(each["metrics"]) > 4 else "")
        table.add_row(Text(each["run"]), each["format"], str(each["points"]), Text(metrics))
    if done.imported:
        get_console().print(table)
    console = get_console(stderr=True)
    for each in done.imported:
        for note in each["notes"]:
            console.print(f"{each['run']}: {note}", markup=False, soft_wrap=True)
    for source, run in done.known.items():
        console.print(f"imported before: {source} is {run}", markup=False, soft_wrap=True)


def _import_results(place: "Workspace", paths: list[Path], *, again: bool, as_json: bool) -> None:
    from lovt_core.results.imported import keep_result_file, read_result_file

    for path in paths:
        read_result_file(path)  # all or none
    kept = [keep_result_file(place.path, path, replace=again) for path in paths]
    if as_json:
        files = [
            {"file": each.path, "scores": len(each.scores), "rows": each.labels, "left_out": each.left_out}
            for each in kept
        ]
        print_json({"results": files})
        return
    for each in kept:
        console = get_console()
        number = len(each.labels)
        text = f"{each.path.name}: {number} {'row' if number == 1 else 'rows'} of lovt compare"
        console.print(text, markup=False, soft_wrap=True)
        for sentence in each.left_out:
            get_console(stderr=True).print(sentence, markup=False, soft_wrap=True)
