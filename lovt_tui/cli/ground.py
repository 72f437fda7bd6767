"""`lovt ground`: what a run finds of a phrase on an image, and how well it does so on marked images."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import print_line, print_warning
from lovt_tui.cli.output_file import ForceOption, check_picture
from lovt_tui.cli.trained_run import GLOBAL_NOTE, CheckpointOption, DeviceOption, Job, PartOption, do_job, find_trained

if TYPE_CHECKING:
    from lovt_core.data.heat_maps import Map, Scale
    from lovt_core.data.prepared import Bytes

COMPARED = {"attention": "score of the cross-attention", "cosine": "cosine of the projections"}
_MAX_COLUMNS, _MAX_ROWS = 64, 32


def command(
    run: RunArgument,
    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="PNG, JPEG or DICOM file.", show_default=False)
    ] = None,
    phrase: Annotated[
        str | None, typer.Argument(metavar="PHRASE", help="What a report would say.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Also save the heat map on the image as PNG.")
    ] = None,
    force: ForceOption = False,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help="Measure on the marked images of a data set instead."),
    ] = None,
    part: PartOption = "test",
    splits: Annotated[
        str, typer.Option("--splits", metavar="SPLIT", help="auto, published, download, patient:SEED or lists:HASH.")
    ] = "auto",
    phrases: Annotated[
        list[str] | None,
        typer.Option("--phrase", metavar="CLASS=TEXT", help="With --data: another phrase of a class; repeatable."),
    ] = None,
    by: Annotated[
        Literal["attention", "cosine"],
        typer.Option(help="Scores of the cross-attention, or cosines of the projections."),
    ] = "attention",
    checkpoint: CheckpointOption = "best",
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw where an image shows what a phrase says; with --data, measure it on boxes (docs/looking.md).

    \b
    Example: lovt ground last film.png "opacity in the left lower lobe" --out heat.png
    Example: lovt ground last --data rsna --split test
    """
    from lovt_core.config.inspection import PhraseRequest
    from lovt_tui.cli.grounding_scores import MarkedData, measure

    _check_what_is_asked(data, image, phrase, has_out=out is not None, has_phrases=bool(phrases))
    place = get_workspace(workspace, reading=True)
    if image is not None and phrase is not None:
        check_picture(out, force)
        pixels = _read_image(image.expanduser(), phrase)
        job = Job(place, find_trained(place, run, checkpoint), checkpoint, device)
        request = PhraseRequest(
            run=job.run.id, checkpoint=checkpoint, image=str(image.expanduser().resolve()), phrase=phrase, by=by
        )
        (result,), notes = do_job(job, "ground", request)
        _save(pixels, result, out)
        print_json({"run": job.run.id, "out": out, **result, "notes": notes}) if as_json else _draw(pixels, result)
    elif data is not None:
        marked = MarkedData(data, splits, part, tuple(phrases or ()), by)
        measure(Job(place, find_trained(place, run, checkpoint), checkpoint, device), marked, as_json=as_json)


def _check_what_is_asked(
    data: str | None, image: Path | None, phrase: str | None, *, has_out: bool, has_phrases: bool
) -> None:
    """Raise InputError for options that do not go together."""
    from lovt_core.errors import InputError

    if (data is None) == (image is None or phrase is None):
        raise InputError('give an image and a phrase (lovt ground RUN film.png "opacity"), or --data NAME without them')
    if data is not None and (image is not None or has_out):
        raise InputError("--data measures on a data set and draws nothing: leave image, phrase and --out out")
    if data is None and has_phrases:
        raise InputError("--phrase names phrases of classes: give --data too")


def _read_image(path: Path, phrase: str) -> "Bytes":
    """(height, width) grey; raises DataError for a file that is no image, InputError for an empty phrase."""
    from lovt_core.data.images.loading import load_grey
    from lovt_core.errors import InputError

    if not phrase.strip():
        raise InputError("the phrase is empty: write what a report would say")
    return load_grey(path)


def _heat(pixels: "Bytes", result: dict[str, Any]) -> "tuple[Map, Scale]":
    """(height, width) similarities or scores, and from the smallest to the largest of a region."""
    import numpy as np

    from lovt_core.data.heat_maps import enlarge_to_image, scale_of

    grid = np.array(result["similarities"]).reshape(result["grid"])
    height, width = pixels.shape
    return enlarge_to_image(grid, height, width), scale_of(grid)


def _save(pixels: "Bytes", result: dict[str, Any], out: Path | None) -> None:
    """PNG at the image's own size, readable by the user only."""
    from lovt_core.data.heat_maps import draw_with_scale, lay_over
    from lovt_core.files import write_bytes_atomic

    if out is None:
        return
    heat, scale = _heat(pixels, result)
    content = io.BytesIO()
    draw_with_scale(lay_over(pixels, heat, scale), scale, result["phrase"]).save(content, format="PNG")
    write_bytes_atomic(out, content.getvalue())
    print_warning(f"saved {out}")


def _draw(pixels: "Bytes", result: dict[str, Any]) -> None:
    """The image under its heat map, or the map alone in shades where there is no colour; the scale; the peak."""
    from lovt_core.data.heat_maps import find_peak, lay_over, shrink
    from lovt_tui.pictures import draw_cells, draw_scale, draw_shades, fit_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    heat, scale = _heat(pixels, result)
    shape = fit_cells(pixels.shape, (min(console.width, _MAX_COLUMNS), _MAX_ROWS))
    small, _ = _heat(shrink(pixels, shape), result)
    print_line(f'"{" ".join(result["phrase"].split())}" on {result["image"]}')
    console.print(
        draw_cells(lay_over(shrink(pixels, shape), small, scale), colour=True)
        if colour
        else draw_shades(scale.shares(small)),
        end="",
    )
    console.print(draw_scale(scale.low, scale.high, colour=colour))
    row, column = find_peak(heat)
    print_line(
        f"{COMPARED[result['by']]}, highest at x {column}, y {row} of {pixels.shape[1]} x {pixels.shape[0]} pixels"
    )
    if result["projections"] == "global":
        print_line(f"note: {GLOBAL_NOTE}")
