"""`lovt data labels`: what the tables of a download say, whether or not its images are there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, print_json
from lovt_tui.cli.data.printing import NameArgument, print_line, print_problems
from lovt_tui.datasets.texts import agreement_text

if TYPE_CHECKING:
    from lovt_core.data.split_lists import Agreement


def command(
    name: NameArgument,
    source: Annotated[Path, typer.Option("--source", help="Folder of the download.")],
    as_json: JsonOption = False,
) -> None:
    """Read the tables of a download, count what they say, and compare their ids with the published split lists.

    Needs no images. Exit code 2 where a table holds rows that cannot be used.

    \b
    Example: lovt data labels rsna --source ~/rsna-pneumonia-detection-challenge
    """
    from lovt_core.data.catalog import find_data_set, read_labels
    from lovt_core.data.split_lists import compare_ids, load_published

    labels = read_labels(find_data_set(name), source.expanduser().resolve())
    lists = load_published(name)
    agreement = None if lists is None else compare_ids(lists, labels.ids)
    if as_json:
        problems = [problem.model_dump() for problem in labels.problems]
        print_json({"counts": dict(labels.counts), "published_lists": _to_json(agreement), "problems": problems})
    else:
        print_line(f"{name}: {source}")
        for what, count in labels.counts:
            print_line(f"{count:>12,} {what}")
        print_line(f"published    {agreement_text(agreement)}")
        if labels.problems:
            print_line(f"problems     {len(labels.problems)} rows or files that cannot be used")
            print_problems(labels.problems)
    if labels.problems:
        raise typer.Exit(2)


def _to_json(agreement: "Agreement | None") -> dict[str, Any] | None:
    from dataclasses import asdict

    return None if agreement is None else {**asdict(agreement), "exact": agreement.is_exact}
