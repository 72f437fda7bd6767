"""`lovt data prepare`: a download into prepared data."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.data.printing import NameArgument, SizeOption, print_line, print_meta, progress_bar

if TYPE_CHECKING:
    from lovt_core.data.prepared import PreparedData
    from lovt_core.values import Progress as ProgressValue


def command(
    name: NameArgument,
    source: Annotated[Path, typer.Option("--source", help="Folder of the download.")],
    size: SizeOption = None,
    splits: Annotated[
        str | None,
        typer.Option(
            "--splits",
            metavar="DIR|SPLIT",
            help="Split to use from now on: a folder with train.csv, validation.csv, test.csv (column ID), "
            "or published, download, patient:SEED, auto.",
        ),
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be used, and list it.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes [default: all cores].")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a download into prepared data, once: decoded, hashed, content-checked.

    What was decoded before an interruption, or for an earlier version, is not decoded again.

    \b
    Example: lovt data prepare covid-chestxray --source ~/covid-chestxray-dataset
    """
    from lovt_core.data.prepare import PrepareOptions, prepare

    root = get_workspace(workspace).prepared_root
    _check_splits(splits)
    options = PrepareOptions(size=size, skip_bad=skip_bad, workers=workers)
    decoded: list[int] = []
    with progress_bar(f"preparing {name}") as show:

        def on_progress(progress: "ProgressValue") -> None:
            decoded.append(progress.done)
            show(progress)

        data = prepare(name, source.expanduser(), root, options, on_progress)
    announcement = _choose_split(data, splits)
    if as_json:
        print_json({"path": data.path, "unchanged": not decoded, **data.meta.model_dump(), "split": announcement})
        return
    state = "prepared" if decoded else "was prepared from these files already, and is whole"
    print_line(f"{data.name} {state}: {data.path}")
    print_meta(data.meta)
    print_line(f"split        {announcement}")


def _check_splits(splits: str | None) -> None:
    """Refuse at once what would only be refused after hours of decoding."""
    from lovt_core.data.split_lists import load_lists

    if splits is not None and not _is_spec(splits):
        load_lists(Path(splits).expanduser())


def _is_spec(splits: str) -> bool:
    return re.fullmatch(r"auto|published|download|patient:\d+|lists:[0-9a-f]{8}", splits) is not None


def _choose_split(data: "PreparedData", splits: str | None) -> str:
    """Keep the choice, and say how the data is split; only the reason where it cannot be."""
    from lovt_core.data.split_choice import choose_split, keep_lists
    from lovt_core.data.splits import AUTO, build_split
    from lovt_core.errors import DataError

    folder = data.path.parent
    if splits is not None:
        spec = splits if _is_spec(splits) else keep_lists(folder, Path(splits).expanduser())
        announcement = "" if spec == AUTO else build_split(data, spec).announcement
        choose_split(folder, spec)
        if announcement:
            return announcement
    try:
        return build_split(data, AUTO).announcement
    except DataError as error:
        return str(error)
