"""`lovt data`: the data sets, preparing them, and what is prepared."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

if TYPE_CHECKING:
    from lovt_core.data.catalog import DataSet
    from lovt_core.data.inventory import SharedFilms, Version
    from lovt_core.data.prepare import OnProgress
    from lovt_core.data.prepared import PreparedData
    from lovt_core.data.prepared_meta import PreparedMeta
    from lovt_core.values import Progress as ProgressValue

app = typer.Typer(help="Data sets: list, prepare, show.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Data set of `lovt data list`.")]
DEFAULT_SPLIT = "patient:0"


@app.command("list", short_help="List data sets and what is prepared.")
def list_command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List data sets: what each is, its licence, where to get it, and what is prepared of it.

    \b
    Example: lovt data list --json
    """
    from lovt_core.data.catalog import DATA_SETS
    from lovt_core.data.inventory import list_versions

    root = get_workspace(workspace).prepared_root
    versions = {data_set.name: list_versions(root, data_set.name) for data_set in DATA_SETS}
    if as_json:
        print_json([_list_row(data_set, versions[data_set.name]) for data_set in DATA_SETS])
        return
    for data_set in DATA_SETS:
        _print_data_set(data_set, versions[data_set.name])
    _print(f"Prepared data: {root}")


@app.command("prepare", short_help="Convert a download into prepared data, once.")
def prepare_command(
    name: NameArgument,
    source: Annotated[Path, typer.Option("--source", help="Folder of the download.")],
    size: Annotated[int | None, typer.Option(help="Pixels a side [default: the data set's own].")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be used, and list it.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes [default: all cores].")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a download into prepared data, once: decoded, hashed, content-checked.

    \b
    Example: lovt data prepare covid-chestxray --source ~/covid-chestxray-dataset
    """
    from lovt_core.data.prepare import PrepareOptions, prepare

    root = get_workspace(workspace).prepared_root
    options = PrepareOptions(size=size, skip_bad=skip_bad, workers=workers)
    decoded: list[int] = []
    with _progress(f"preparing {name}") as show:

        def on_progress(progress: "ProgressValue") -> None:
            decoded.append(progress.done)
            show(progress)

        data = prepare(name, source.expanduser(), root, options, on_progress)
    if as_json:
        print_json({"path": data.path, "unchanged": not decoded, **data.meta.model_dump()})
        return
    state = "prepared" if decoded else "was prepared from these files already, and is whole"
    _print(f"{data.name} {state}: {data.path}")
    _print_meta(data.meta)


@app.command("show", short_help="Show prepared data: identity, split, overlap.")
def show_command(
    name: NameArgument,
    size: Annotated[int | None, typer.Option(help="Pixels a side [default: the data set's own].")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="Another version than the current one.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read every byte again and compare the checksums.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show prepared data: identity, flow from the download, split, films shared with other sets.

    \b
    Example: lovt data show covid-rural
    """
    from dataclasses import asdict

    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.inventory import count_shared_films
    from lovt_core.data.prepared import open_prepared

    root = get_workspace(workspace).prepared_root
    data = open_prepared(root, find_data_set(name).name, size, fingerprint)
    if check:
        _check(data)
    shared = count_shared_films(data, root)
    split = _describe_split(data)
    if as_json:
        overlap = [asdict(films) for films in shared]
        print_json({"path": data.path, **data.meta.model_dump(), "split": split, "overlap": overlap})
        return
    _print(f"{data.name}: {data.path}")
    _print_meta(data.meta)
    _print(f"split        {split['announcement']}")
    for films in shared:
        _print(f"overlap      {_overlap_text(films)}")
    if check:
        _print("check        every byte is as it was written")


def _check(data: "PreparedData") -> None:
    from lovt_core.data.checksums import verify
    from lovt_core.errors import DataError

    problems = verify(data.path)
    if problems:
        damage = "; ".join(str(problem) for problem in problems)
        raise DataError(f"{data.path} is damaged: {damage}; run: lovt data prepare {data.name} --source DIR")


def _describe_split(data: "PreparedData") -> dict[str, Any]:
    """Size and identity of the default split; only the reason where the set is too small to be split."""
    from lovt_core.data.splits import build_split
    from lovt_core.errors import DataError

    try:
        split = build_split(data, DEFAULT_SPLIT)
    except DataError as error:
        return {"spec": DEFAULT_SPLIT, "announcement": str(error)}
    return {
        "spec": split.spec,
        "announcement": split.announcement,
        "fingerprint": split.fingerprint,
        "training": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
    }


def _list_row(data_set: "DataSet", versions: "tuple[Version, ...]") -> dict[str, Any]:
    row = {
        key: getattr(data_set, key)
        for key in (
            "name",
            "kind",
            "title",
            "summary",
            "licence",
            "citation",
            "url",
            "approximate_size",
            "default_size",
        )
    }
    return {
        **row,
        "documented_layout": data_set.documented_layout,
        "prepared": [_version_row(version) for version in versions],
    }


def _version_row(version: "Version") -> dict[str, Any]:
    row: dict[str, Any] = {"path": version.folder, "current": version.is_current, "problem": version.problem or None}
    if version.meta is None:
        return row
    keys = ("size", "fingerprint", "genuine", "synthetic", "num_samples", "num_images", "num_patients", "created")
    return {**row, **{key: getattr(version.meta, key) for key in keys}}


def _print_data_set(data_set: "DataSet", versions: "tuple[Version, ...]") -> None:
    _print(f"{data_set.name}  [{data_set.kind}]  {data_set.title}")
    _print(f"    {data_set.summary}")
    _print(f"    licence   {data_set.licence}")
    _print(f"    get it    {data_set.url} ({data_set.approximate_size})")
    for heading, line in zip(
        ("layout", *[""] * len(data_set.documented_layout)), data_set.documented_layout, strict=False
    ):
        _print(f"    {heading:<9} {line}")
    for version in versions:
        _print(f"    prepared  {_version_text(version)}")
    if not versions:
        _print(f"    prepare   lovt data prepare {data_set.name} --source DIR")


def _version_text(version: "Version") -> str:
    meta = version.meta
    if meta is None:
        return f"{version.folder.name}  damaged: {version.problem}"
    mark = "current" if version.is_current else "kept"
    text = f"{version.folder.name}  {meta.num_samples} samples, {_origin_text(meta)}, {mark}"
    return f"{text}  ({version.problem})" if version.problem else text


def _print_meta(meta: "PreparedMeta") -> None:
    sentences = f", {meta.num_sentences} sentences" if meta.kind == "paired" else f", classes {', '.join(meta.classes)}"
    _print(
        f"content      {meta.num_samples} samples, {meta.num_images} images of {meta.num_patients} patients{sentences}"
    )
    side = f"{meta.size} x {meta.size} pixels" if meta.mode == "square" else f"short side at most {meta.size} pixels"
    _print(f"images       {side}{', histogram-equalised' if meta.equalised else ''}")
    _print(f"fingerprint  {meta.fingerprint}")
    _print(f"origin       {_origin_text(meta)}; from {meta.source} on {meta.created}")
    heading = "flow"
    for step in (meta.flow[0], *(step for step in meta.flow[1:] if step.dropped)):
        dropped = f"left without {step.dropped}: {step.what}" if step.dropped else step.what
        _print(f"{heading:<12} {step.kept} {dropped}")
        heading = ""
    if meta.skipped:
        _print(f"skipped      {len(meta.skipped)} files or rows that could not be used")
    for problem in meta.skipped:
        _print(f"             {problem}")


def _origin_text(meta: "PreparedMeta") -> str:
    if meta.synthetic:
        return "synthetic"
    return "genuine" if meta.genuine else "not genuine: other images in the layout of this data set"


def _overlap_text(films: "SharedFilms") -> str:
    return (
        f"{films.images} of {films.of} images are also in {films.other} ({films.fingerprint[:8]}), "
        f"where they match {films.others} of {films.of_others}"
    )


def _print(text: str) -> None:
    get_console().print(text, markup=False, soft_wrap=True)


@contextmanager
def _progress(title: str) -> "Iterator[OnProgress]":
    """A bar with the time left, on stderr; it appears with the first progress."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=get_console(stderr=True))
    task = bar.add_task(title, total=None)

    def show(progress: "ProgressValue") -> None:
        bar.start()
        bar.update(task, completed=progress.done, total=progress.total)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()
