"""`lovt data verify`: read every byte of prepared data again."""

from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.data.printing import print_line, print_problems


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One data set [default: all that are prepared].")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte of every prepared version again and compare the checksums. Exit code 1 where one is damaged.

    \b
    Example: lovt data verify rsna
    """
    from lovt_core.data.catalog import DATA_SETS, find_data_set
    from lovt_core.data.checksums import verify
    from lovt_core.data.versions import find_versions

    root = get_workspace(workspace).prepared_root
    names = [data_set.name for data_set in DATA_SETS] if name is None else [find_data_set(name).name]
    found = {folder: verify(folder) for each in names for folder in find_versions(root, each)}
    if as_json:
        print_json([{"path": folder, "problems": list(map(str, problems))} for folder, problems in found.items()])
    else:
        for folder, problems in found.items():
            print_line(f"{folder}: {'damaged' if problems else 'every byte is as it was written'}")
            print_problems(problems)
        if not found:
            print_line(f"nothing is prepared in {root}")
    if any(found.values()):
        raise typer.Exit(1)
