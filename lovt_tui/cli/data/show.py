"""`lovt data show`: prepared data, and samples of it as pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.data.printing import (
    FingerprintOption,
    NameArgument,
    SizeOption,
    SplitsOption,
    print_field,
    print_line,
    print_meta,
    print_warning,
)
from lovt_tui.cli.output_file import check_folder, check_picture

if TYPE_CHECKING:
    from lovt_core.data.prepared import PreparedData


def command(
    name: NameArgument,
    size: SizeOption = None,
    fingerprint: FingerprintOption = None,
    splits: SplitsOption = "auto",
    sample: Annotated[int, typer.Option("--sample", min=0, help="Draw so many samples in the terminal.")] = 0,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Draw this sample; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other samples.")] = 0,
    save: Annotated[
        Path | None, typer.Option("--save", help="Also save each drawn sample as PNG in this folder.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Draw on one contact sheet (PNG) instead, 10 samples by default.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show prepared data: identity, flow from the download, split; or samples with their boxes, masks or reports.

    \b
    Example: lovt data show rsna --sample 5
    """
    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.prepared import open_prepared
    from lovt_tui.cli.data.samples import describe_sample, print_samples
    from lovt_tui.datasets.samples import choose_samples
    from lovt_tui.datasets.saving import save_samples, save_sheet

    check_picture(sheet, force=True, option="--sheet")
    check_folder(save, "--save")
    root = get_workspace(workspace).prepared_root
    data = open_prepared(root, find_data_set(name).name, size, fingerprint)
    if sample or ids or sheet or save:
        rows = choose_samples(data, sample or (0 if ids else 10), tuple(ids or ()), seed)
        if sheet:
            print_warning(save_sheet(data, rows, sheet.expanduser()))
        if save:
            print_warning(save_samples(data, rows, save.expanduser()))
        if as_json:
            print_json([describe_sample(data, row) for row in rows])
        elif not sheet:
            print_samples(data, rows)
        return
    split = _describe_split(data, splits)
    if as_json:
        print_json({"path": data.path, **data.meta.model_dump(), "split": split})
        return
    print_line(f"{data.name}: {data.path}")
    print_meta(data.meta)
    print_field("split", split["announcement"])
    print_field("shared films", f"lovt data overlap {data.name}")


def _describe_split(data: "PreparedData", spec: str) -> dict[str, Any]:
    """Size and identity of the split; only the reason where the set is too small to be split."""
    from lovt_core.config.split_names import AUTO
    from lovt_core.data.splits import build_split
    from lovt_core.errors import DataError

    try:
        split = build_split(data, spec)
    except DataError as error:
        if spec != AUTO:
            raise
        return {"spec": spec, "announcement": str(error)}
    return {
        "spec": split.spec,
        "announcement": split.announcement,
        "fingerprint": split.fingerprint,
        "training": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
    }
