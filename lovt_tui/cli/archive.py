"""`lovt archive` and `lovt unarchive`: runs as one file with checksums, and back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.output_file import ForceOption, check_out
from lovt_tui.cli.stop import RunsArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace


def command(
    runs: RunsArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write [default: ./<id>.tar].")
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="With gzip: slower, and weights hardly get smaller.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Read the archive back and move its runs to the trash.")
    ] = False,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write runs that have ended into one file, a tar with a checksum for each of their files.

    \b
    Example: lovt archive last --out covid-pretraining.tar --remove
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.space.archive import write_archive
    from lovt_tui.cli.data.printing import progress_bar

    place = get_workspace(workspace, reading=True)
    found = list({run.id: run for run in (find_run(place, text) for text in runs)}.values())
    file = _choose_file(found, out, compress=compress)
    check_out(file, force)
    if remove:
        _check_removable(place, found)
    with progress_bar("archiving") as show:
        manifest = write_archive(found, file, show, compress=compress)
    if remove:
        _remove(place, found, file)
    if as_json:
        described = [{"id": run.id, "files": len(run.files), "num_bytes": run.num_bytes} for run in manifest.runs]
        print_json({"file": file.absolute(), "num_bytes": file.stat().st_size, "runs": described, "removed": remove})
        return
    names = ", ".join(run.id for run in found)
    sys.stdout.write(f"{file} holds {names}{', now in the trash' if remove else ''}\n")


def _choose_file(runs: "Sequence[RunDirectory]", out: Path | None, *, compress: bool) -> Path:
    from lovt_core.errors import InputError

    if out is not None:
        return out.expanduser()
    if len(runs) > 1:
        raise InputError(f"{len(runs)} runs go into one file: name it with --out FILE")
    return Path(f"{runs[0].id}.tar{'.gz' if compress else ''}")


def _check_removable(workspace: "Workspace", runs: "Sequence[RunDirectory]") -> None:
    """Before anything is written."""
    from lovt_core.runs.space.needs import find_needs
    from lovt_core.runs.space.trash import check_removable

    needs = find_needs(workspace)
    for run in runs:
        check_removable(workspace, run, needs)


def _remove(workspace: "Workspace", runs: "Sequence[RunDirectory]", file: Path) -> None:
    """Only what can be read back may go."""
    from lovt_core.runs.space.trash import trash_runs
    from lovt_core.runs.space.unarchive import verify_archive
    from lovt_tui.cli.data.printing import progress_bar

    with progress_bar("reading back") as show:
        verify_archive(file, show)
    trash_runs(workspace, runs)


def unarchive_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that `lovt archive` has written.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the runs of an archive into the workspace, after every checksum was compared. Nothing is started.

    \b
    Example: lovt unarchive covid-pretraining.tar
    """
    from lovt_core.runs.space.unarchive import unarchive
    from lovt_tui.cli.data.printing import progress_bar

    with progress_bar("unarchiving") as show:
        runs = unarchive(get_workspace(workspace), file.expanduser(), show)
    if as_json:
        print_json([{"id": run.id, "path": run.path} for run in runs])
        return
    for run in runs:
        sys.stdout.write(f"{run.id} is in {run.path}\n")
