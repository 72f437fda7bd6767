"""`lovt runs reindex`: build the index again."""

import sys
import time

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json, visible


def command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Throw the index away and build it from the run directories; whoever reads it goes on with the new one.

    \b
    Example: lovt runs reindex
    """
    from lovt_core.errors import LovtError
    from lovt_core.runs.directory import list_runs
    from lovt_core.runs.indexing.index import Index
    from lovt_tui.cli.runs_progress import counting_runs

    began = time.monotonic()
    place = get_workspace(workspace, reading=True)
    index = Index(place)
    index.rebuild()
    with counting_runs("taking in") as count:
        index.sync(count)
    num_runs, took = index.count(), time.monotonic() - began
    missing = len({run.id for run in list_runs(place)} - {row.id for row in index.runs()} - index.broken.keys())
    if missing:
        raise LovtError(
            f"{missing} runs are not in the index {place.index}: it is busy, or the disk is full; try again"
        )
    if as_json:
        print_json({"runs": num_runs, "seconds": round(took, 3), "broken": index.broken})
    else:
        sys.stdout.write(f"{num_runs} runs are in the index, built in {took:.1f} s\n")
    for run_id, reason in index.broken.items():
        get_console(stderr=True).print(visible(f"cannot read {run_id}: {reason}"), markup=False, soft_wrap=True)
