"""`lovt analyse`: the embeddings of a run in figures, beside the published ones."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import print_line, print_warning
from lovt_tui.cli.output_file import check_folder
from lovt_tui.cli.trained_run import CheckpointOption, DeviceOption, Job, Part, do_job, find_trained

if TYPE_CHECKING:
    from rich.table import Table

Published = Mapping[str, Mapping[str, float]]
_MAX_COLUMNS, _MAX_ROWS = 64, 32


def command(
    run: RunArgument,
    part: Annotated[
        Part | None,
        typer.Option("--split", help="training, validation or test [default: test, where there is none validation]."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=4, help="At most so many pairs, evenly spread [default: all].")
    ] = None,
    plot: Annotated[
        Literal["pca", "tsne"] | None, typer.Option(help="Also draw global and local projections in a plane.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Save the plots in this folder as PNG."),
    ] = None,
    ablations: Annotated[bool, typer.Option("--ablations", help="Published values of the ablations too.")] = False,
    checkpoint: CheckpointOption = "best",
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Statistics of a run's embeddings, under the published names and beside the published values (docs/looking.md).

    \b
    Example: lovt analyse last --split validation --plot pca
    """
    from lovt_core.config.inspection import EmbeddingRequest
    from lovt_core.results.published_statistics import LABELS, WITHOUT_ABLATIONS, load_published_statistics

    check_folder(out)
    place = get_workspace(workspace, reading=True)
    job = Job(place, find_trained(place, run, checkpoint), checkpoint, device)
    asked = plot or ("pca" if out else None)
    request = EmbeddingRequest(run=job.run.id, checkpoint=checkpoint, part=part, samples=samples, plot=asked)
    (result,), notes = do_job(job, "analyse", request)
    shown = tuple(LABELS.values()) if ablations else WITHOUT_ABLATIONS
    published = {
        name: {label: values[label] for label in shown if label in values}
        for name, values in load_published_statistics().items()
    }
    if out is not None:
        _save_planes(result, job.run.id, out.expanduser())
    if as_json:
        print_json({"run": job.run.id, **result, "published": published, "notes": notes})
        return
    print_line(f"{job.run.id}: {result['num_samples']} of {result['of']} {result['part']} pairs of {result['data']}")
    get_console().print(_tabulate(result["statistics"], published, shown))
    print_line()
    for line in _describe_smoothness(result["smoothness"]):
        print_line(line)
    if plot is not None:
        _draw_planes(result)


def _tabulate(
    own: Mapping[str, float], published: Mapping[str, Mapping[str, float]], shown: tuple[str, ...]
) -> "Table":
    """A line for each statistic that was published or computed."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("statistic", no_wrap=True)
    for heading in ("this run", *shown):
        table.add_column(heading, justify="right")
    for name in dict.fromkeys((*published, *own)):
        values = [own.get(name), *(published.get(name, {}).get(label) for label in shown)]
        table.add_row(name.removeprefix("emb/"), *("-" if value is None else f"{float(value):.4g}" for value in values))
    return table


def _describe_smoothness(smoothness: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, values in smoothness.items():
        if values:
            yield (
                f"{name}: neighbouring regions are alike by {values['neighbour_similarity']:.3f} (cosine), all pairs "
                f"by {values['similarity']:.3f}; Moran's I {values['moran_i']:.3f}"
            )


def _titles(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each plane and what is to be said of it."""
    for name, plane in result["planes"].items():
        shares = ", ".join(f"{100 * float(share):.1f} %" for share in plane["explained"])
        how = f"principal components ({shares} of the variance)" if shares else "t-SNE"
        yield name, f"{name} projections of images and reports, {how}"


def _save_planes(result: Mapping[str, Any], run: str, folder: Path) -> None:
    """One PNG a plane, readable by the user only."""
    from lovt_core.files import write_bytes_atomic
    from lovt_core.results.scatter import GROUPS, draw_scatter

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, title in _titles(result):
        content = io.BytesIO()
        draw_scatter([result["planes"][name][group] for group in GROUPS], title).save(content, format="PNG")
        write_bytes_atomic(folder / f"{run}-{name}-{result['plot']}.png", content.getvalue())
    print_warning(f"saved {len(result['planes'])} PNG in {folder}")


def _draw_planes(result: Mapping[str, Any]) -> None:
    import numpy as np

    from lovt_core.results.scatter import COLOURS, GROUPS, MEANINGS, place_points
    from lovt_tui.pictures import Mark, draw_legend, draw_marked_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    legend = [Mark(letter, *what) for letter, what in zip("IRB", zip(COLOURS, MEANINGS, strict=True), strict=True)]
    shape = 2 * _MAX_ROWS, min(console.width, _MAX_COLUMNS)
    for name, title in _titles(result):
        print_line()
        print_line(title)
        marks = place_points([result["planes"][name][group] for group in GROUPS], shape)
        black = np.zeros((*shape, 3), dtype=np.uint8)
        console.print(draw_marked_cells(black, marks, legend, colour=colour), end="")
        console.print(draw_legend(legend, colour=colour))
