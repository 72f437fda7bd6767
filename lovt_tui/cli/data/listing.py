"""`lovt data list`: what data sets there are, where to get them, and what is prepared."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import print_line
from lovt_tui.datasets.texts import version_text

if TYPE_CHECKING:
    from lovt_core.data.data_set import DataSet
    from lovt_core.data.inventory import Version

_IDENTITY = ("name", "kind", "title", "summary", "classes", "default_size")
_ORIGIN = ("licence", "citation", "url", "approximate_size", "credentialed", "documented_layout")


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One data set: licence, citation, download page, layout.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List data sets and what is prepared of them; with a name, all there is to know about that one.

    \b
    Example: lovt data list rsna
    """
    from lovt_core.data.catalog import DATA_SETS, find_data_set
    from lovt_core.data.inventory import list_versions

    root = get_workspace(workspace).prepared_root
    chosen = DATA_SETS if name is None else (find_data_set(name),)
    versions = {data_set.name: list_versions(root, data_set.name) for data_set in chosen}
    if as_json:
        print_json([_row(data_set, versions[data_set.name]) for data_set in chosen])
    elif name is None:
        _print_table(chosen, versions)
        print_line(f"Prepared data: {root}")
        print_line("Licence, download page and layout of one set: lovt data list NAME")
    else:
        _print_data_set(chosen[0], versions[chosen[0].name])


def _print_table(data_sets: "tuple[DataSet, ...]", versions: "dict[str, tuple[Version, ...]]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("NAME", "KIND", "WHAT", "PREPARED"):
        table.add_column(heading, no_wrap=heading != "WHAT")
    for data_set in data_sets:
        of_all_sizes = sorted(versions[data_set.name], key=_size)
        shown = [_prepared_text(version) for version in of_all_sizes if version.is_current or version.problem]
        table.add_row(data_set.name, data_set.kind, data_set.title, "\n".join(shown) or "-")
    get_console().print(table, markup=False)


def _size(version: "Version") -> int:
    return version.meta.size if version.meta else 0


def _prepared_text(version: "Version") -> str:
    meta = version.meta
    if meta is None or version.problem:
        return f"{version.folder.name} is damaged"
    mark = "" if meta.genuine else (", synthetic" if meta.synthetic else ", not genuine")
    return f"{meta.num_samples:,} at {meta.size} px{mark}"


def _print_data_set(data_set: "DataSet", versions: "tuple[Version, ...]") -> None:
    print_line(f"{data_set.name}  [{data_set.kind}]  {data_set.title}")
    print_line(f"    {data_set.summary}", indent=4)
    print_line(f"    licence   {data_set.licence}", indent=14)
    print_line(f"    cite      {data_set.citation}", indent=14)
    print_line(f"    get it    {data_set.url} ({data_set.approximate_size})", indent=14)
    for heading, line in zip(("layout", *[""] * 50), data_set.documented_layout, strict=False):
        print_line(f"    {heading:<9} {line}", indent=16)
    for version in sorted(versions, key=_size):
        print_line(f"    prepared  {version_text(version)}", indent=14)
    if not versions:
        print_line(f"    prepare   lovt data prepare {data_set.name} --source DIR")


def _row(data_set: "DataSet", versions: "tuple[Version, ...]") -> dict[str, Any]:
    facts = {key: getattr(data_set, key) for key in (*_IDENTITY, *_ORIGIN)}
    return {**facts, "prepared": [_version_row(version) for version in versions]}


def _version_row(version: "Version") -> dict[str, Any]:
    row: dict[str, Any] = {"path": version.folder, "current": version.is_current, "problem": version.problem or None}
    if version.meta is None:
        return row
    keys = ("size", "fingerprint", "genuine", "synthetic", "num_samples", "num_images", "num_patients", "created")
    return {**row, **{key: getattr(version.meta, key) for key in keys}}
