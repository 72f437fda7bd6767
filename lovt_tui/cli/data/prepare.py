"""`lovt data prepare`: a download into prepared data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.data.printing import (
    NameArgument,
    SizeOption,
    print_field,
    print_line,
    print_meta,
    print_warning,
    progress_bar,
)
from lovt_tui.datasets.texts import work_text

if TYPE_CHECKING:
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
    from lovt_core.config.split_names import AUTO
    from lovt_core.data.preparation.prepare import PrepareOptions, prepare
    from lovt_core.data.split_choice import read_choice
    from lovt_core.data.splits import build_split
    from lovt_core.errors import DataError

    root = get_workspace(workspace).prepared_root
    split = None if splits is None else read_choice(splits)
    options = PrepareOptions(size=size, skip_bad=skip_bad, workers=workers, split=split)
    decoded: list[int] = []
    try:
        with progress_bar(f"preparing {name}") as show:

            def on_progress(progress: "ProgressValue") -> None:
                decoded.append(progress.done)
                show(progress)

            data = prepare(name, source.expanduser(), root, options, on_progress)
    except KeyboardInterrupt:
        print_warning(f"stopped; what is decoded is kept, and the same command goes on from there ({root / name})")
        raise typer.Exit(130) from None
    try:
        announcement = build_split(data, AUTO).announcement
    except DataError as error:  # too few patients to be split
        announcement = str(error)
    if as_json:
        print_json({"path": data.path, "unchanged": not decoded, **data.meta.model_dump(), "split": announcement})
        return
    print_line(f"{data.name} {work_text(data.meta, len(decoded))}: {data.path}")
    print_meta(data.meta)
    print_field("split", announcement)
