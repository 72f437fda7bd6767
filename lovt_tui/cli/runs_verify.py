"""`lovt runs verify`: whether index and run directories are whole."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, open_index, print_json, visible


def command(
    deep: Annotated[bool, typer.Option("--deep", help="Compute the checksums of all checkpoints too.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that the index has every line of all event files exactly once, and the files are whole; exit code 1 if not.

    A torn last line, which a killed worker leaves, is only noted.

    \b
    Example: lovt runs verify --deep
    """
    from lovt_core.runs.indexing.verifying import verify
    from lovt_tui.cli.runs_progress import counting_runs
    from lovt_tui.formatting import plural

    index = open_index(get_workspace(workspace, reading=True))
    with counting_runs("verifying") as count:
        findings = list(verify(index, deep, count))
    num_errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json({"runs": index.count(), "errors": num_errors, "findings": [asdict(each) for each in findings]})
    else:
        for finding in findings:
            sys.stdout.write(visible(f"{finding.severity}: {finding.run} {finding.text}") + "\n")
        sys.stdout.write(f"{plural(index.count(), 'run')} verified, {plural(num_errors, 'error')}\n")
        if any(finding.is_index for finding in findings):
            sys.stderr.write("an index that is wrong is built again by: lovt runs reindex\n")
    raise typer.Exit(1 if num_errors else 0)
