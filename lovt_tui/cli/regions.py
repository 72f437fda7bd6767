"""`lovt show RUN --regions`: where the sentences of reports look, on the images that they belong to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console, print_json
from lovt_tui.cli.data.printing import print_line, print_warning
from lovt_tui.cli.output_file import check_folder
from lovt_tui.cli.trained_run import Job, check_trained, do_job

if TYPE_CHECKING:
    from lovt_core.config.inspection import Part
    from lovt_core.data.heat_maps import Scale
    from lovt_core.data.prepared import Bytes, PreparedData
    from lovt_core.data.region_pictures import RegionMap
    from lovt_core.runs.workspace import Workspace

FOLDER = "regions"
"""Of the pictures among a run's artifacts, where the dashboard finds them."""
_COLUMNS, _ROWS, _GAP = 32, 20, 2
"""Largest picture of one sentence in a terminal, in cells, and columns between two."""


@dataclass(frozen=True)
class RegionsAsked:
    """What to show of a run."""

    samples: int = 4
    part: "Part" = "validation"
    out: Path | None = None
    """Folder of copies of the pictures."""
    as_json: bool = False


def show_regions(place: "Workspace", run_id: str, asked: RegionsAsked) -> None:
    """Compute attention over regions, keep the pictures among the run's artifacts, draw or list them.

    Raises InputError for a run that has no reports, no checkpoint or no attention, DataError where its data is gone.
    """
    from lovt_core.config.inspection import RegionsRequest
    from lovt_core.data.prepared import open_prepared
    from lovt_core.errors import DataError
    from lovt_core.runs.directory import find_run

    run = find_run(place, run_id)
    check_folder(asked.out)
    check_trained(run, "best")
    request = RegionsRequest(run=run.id, part=asked.part, samples=asked.samples)
    findings, notes = do_job(Job(place, run), "regions", request)
    if not findings:
        raise DataError(f"none of these {asked.part} samples has a report with a word: ask for more of them")
    data = open_prepared(place.prepared_root, findings[0]["data"], fingerprint=findings[0]["data_fingerprint"])
    folders = [run.artifacts / FOLDER, *([asked.out.expanduser()] if asked.out else [])]
    pictures = [_save(data, finding, folders) for finding in findings]
    if asked.as_json:
        listed = [{**each, "picture": str(path)} for each, path in zip(findings, pictures, strict=True)]
        print_json({"run": run.id, "samples": listed, "notes": notes})
        return
    for finding in findings:
        _draw(data, finding)
    print_warning(f"saved {len(pictures)} PNG in {' and '.join(map(str, folders))}{_privacy(data)}")


def _save(data: "PreparedData", finding: dict[str, Any], folders: Sequence[Path]) -> Path:
    """One sheet a sample, readable by the user only; its path in the last folder."""
    from lovt_core.data.region_pictures import draw_region_sheet, list_maps
    from lovt_core.files import write_bytes_atomic

    content = draw_region_sheet(data.image(finding["image_row"]), list_maps(finding))
    name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', finding['sample'])[:120]}.png"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_bytes_atomic(folder / name, content)
    return folders[-1] / name


def _privacy(data: "PreparedData") -> str:
    from lovt_core.data.catalog import find_data_set

    is_private = find_data_set(data.name).credentialed and not data.meta.synthetic
    return "; they are under a data use agreement: keep them to yourself" if is_private else ""


def _draw(data: "PreparedData", finding: dict[str, Any]) -> None:
    from lovt_core.data.region_pictures import describe_scale, list_maps, scale_maps

    maps = list_maps(finding)
    image = data.image(finding["image_row"])
    print_line(f"{finding['sample']} ({finding['part']} of {data.name})")
    console = get_console()
    abreast = max(1, (min(console.width, 100) + _GAP) // (_COLUMNS + _GAP))
    for start in range(0, len(maps), abreast):
        _draw_row(image, maps[start : start + abreast], scale_maps(maps))
    print_line(f"  {describe_scale(maps)}")
    rows, columns = finding["grid"]
    for each in maps:
        print_line(f"  {each.title}: {each.text}", indent=4)
        row, column = divmod(int(each.grid.argmax()), columns)
        print_line(
            f"    most in row {row + 1}, column {column + 1} of {rows} x {columns}: {each.peak:.3f}, "
            f"{each.peak * rows * columns:.1f} times an even share"
        )
    if finding["sentence_attention"] is None:
        print_line("  its losses compare whole images and reports: no attention of sentences was trained")
    if finding["sentences_cut_off"]:
        print_line(f"  {finding['sentences_cut_off']} more sentences do not fit into the report encoder")
    print_line()


def _draw_row(image: "Bytes", maps: "Sequence[RegionMap]", scale: "Scale") -> None:
    """Maps side by side: laid over the image, or alone in shades where there is no colour."""
    from lovt_core.data.heat_maps import beside, enlarge_to_image
    from lovt_core.data.region_pictures import draw_map
    from lovt_tui.pictures import draw_cells, draw_shades, fit_cells

    console = get_console()
    colour = console.color_system is not None and not console.no_color
    shape = fit_cells(image.shape, (min(console.width, _COLUMNS), _ROWS))
    print_line("".join(f"{each.title:<{shape[1] + _GAP}}" for each in maps).rstrip())
    if colour:
        pictures = [draw_map(image, each, scale, shape) for each in maps]
        console.print(draw_cells(beside(pictures, _GAP), colour=True), end="")
        return
    heats = [scale.shares(enlarge_to_image(each.grid, *shape)) for each in maps]
    console.print(draw_shades(beside(heats, _GAP)), end="")
