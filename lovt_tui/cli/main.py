"""The `lovt` command: one file per subcommand, errors shown once, here."""

import sys
from typing import Annotated

import typer

from lovt_tui.cli import check, compare, data, demo, evaluate, pretrain, resume, runs, show, stop, weights

app = typer.Typer(
    name="lovt",
    help="Pre-train, evaluate and compare chest X-ray encoders (LoVT, ECCV 2022). The dashboard is `lovt-tui`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.command)
app.command("pretrain")(pretrain.command)
app.command("check")(check.command)
app.command("evaluate")(evaluate.command)
app.command("compare")(compare.command)
app.command("runs")(runs.command)
app.command("show")(show.command)
app.command("stop")(stop.command)
app.command("resume")(resume.command)
app.add_typer(data.app, name="data")
app.add_typer(weights.app, name="weights")


def _print_version(wanted: bool) -> None:
    if wanted:
        from lovt_core import __version__

        typer.echo(f"lovt {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options that stand before the subcommand."""
    main.debug = debug  # type: ignore[attr-defined]


def main() -> None:
    """Entry point: runs the command, turns a LovtError into one message and its exit code."""
    from lovt_core.errors import LovtError

    try:
        app()
    except LovtError as error:
        if getattr(main, "debug", False):
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
