"""`lovt data synthesize`: downloads of synthetic films in the original layouts."""

from pathlib import Path
from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, print_json
from lovt_tui.cli.data.printing import print_line, progress_bar


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Data sets to imitate [default: all of them].")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder; each download becomes a new folder in it, named as its data set.")
    ] = Path("synthetic"),
    count: Annotated[int, typer.Option(help="Films a data set.")] = 64,
    size: Annotated[int, typer.Option(help="Pixels a side of the films.")] = 256,
    seed: Annotated[int, typer.Option(help="Another seed makes other films of other patients.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes [default: all cores].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write synthetic downloads in the layouts of the real ones: DICOM, run lengths, XML, archives and all.

    The same request gives the same bytes. The downloads carry a marker: nothing made from them passes for real data.

    \b
    Example: lovt data synthesize rsna siim --out ~/synthetic --count 200
    """
    from lovt_core.data.synthetic.generate import LAYOUTS, Synthesis, synthesize

    requests = [Synthesis(name, count, size, seed, workers) for name in names or LAYOUTS]
    for request in requests:
        request.check()
    written = {}
    for request in requests:
        with progress_bar(f"drawing {request.layout}") as show:
            written[request.layout] = synthesize(out.expanduser() / request.layout, request, show)
    if as_json:
        print_json(written)
        return
    for name, folder in written.items():
        print_line(f"{name}: {folder}")
    name, folder = next(iter(written.items()))
    print_line(f"Prepare one: lovt data prepare {name} --source {folder}")
