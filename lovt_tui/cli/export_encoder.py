"""`lovt export encoder`: an encoder's weights for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from lovt_tui.cli.context import JsonOption, RunArgument, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.output_file import ForceOption, check_out

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace

EncoderFormat = Literal["timm", "torchvision", "safetensors"]
_SUFFIXES: Final[dict[EncoderFormat, str]] = {"timm": ".pth", "torchvision": ".pth", "safetensors": ".safetensors"}


def command(
    run: RunArgument,
    file_format: Annotated[
        EncoderFormat, typer.Option("--format", "-f", help="timm, torchvision (both .pth) or safetensors.")
    ] = "safetensors",
    checkpoint: Annotated[Literal["best", "last"], typer.Option(help="Checkpoint of the run.")] = "best",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write [default: named after the run].")
    ] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the image encoder of a pre-training run as a file that timm, torchvision or safetensors load.

    \b
    Example: lovt export encoder last --format torchvision --out encoder.pth
    """
    from lovt_core.answers import ask_module
    from lovt_core.runs.checkpoints import find_saved
    from lovt_core.runs.directory import find_run
    from lovt_tui.cli.readiness import resolve_encoder

    place: Workspace = get_workspace(workspace, reading=True)
    chosen: RunDirectory = find_run(place, resolve_encoder(place, run, checkpoint))
    target = out or Path(f"{chosen.name}-encoder{_SUFFIXES[file_format]}")
    check_out(target, force)
    folder = find_saved(chosen, checkpoint)
    with get_console(stderr=True).status("exporting ..."):  # it needs torch and so a process of its own
        (answer,) = ask_module("lovt_core.export_encoder", [str(folder), file_format, str(target), chosen.id])
    if as_json:
        print_json(answer)
        return
    console = get_console()
    console.print(f"{answer['file']}: {answer['backbone']} of {answer['run']}", markup=False, soft_wrap=True)
    reading = "safetensors.torch.load_file" if file_format == "safetensors" else "torch.load"
    strict = ", strict=False" if answer["missing"] else ""
    console.print(f"model = {answer['load']}", markup=False, soft_wrap=True)
    console.print(f"model.load_state_dict({reading}('{answer['file']}'){strict})", markup=False, soft_wrap=True)
    if answer["missing"]:
        missing = ", ".join(answer["missing"][:4]) + (", ..." if len(answer["missing"]) > 4 else "")
        console.print(f"not in it, because the run has not trained it: {missing}", markup=False, soft_wrap=True)
