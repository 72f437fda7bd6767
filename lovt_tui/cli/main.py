"""The `lovt` command: one file per subcommand, errors shown once, here."""

import os
import sys
from typing import Annotated

import typer

from lovt_tui.cli import (
    analyse,
    archive,
    check,
    compare,
    demo,
    doctor,
    du,
    evaluate,
    export,
    gc,
    ground,
    import_runs,
    label,
    launch,
    pretrain,
    queue,
    results,
    resume,
    rm,
    runs,
    runs_diff,
    show,
    stop,
    sweep,
    watch,
    weights,
)
from lovt_tui.cli.context import visible
from lovt_tui.cli.data import commands as data

app = typer.Typer(
    name="lovt",
    help="Pre-train, evaluate and compare chest X-ray encoders (LoVT, ECCV 2022). The dashboard is `lovt-tui`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo", short_help="The whole road on synthetic X-rays, in some minutes.")(demo.command)
app.command("pretrain", short_help="Pre-train an encoder as an experiment file says.")(pretrain.command)
app.command("check", short_help="Two real steps of an experiment: it fits, it runs, how fast.")(check.command)
app.command("evaluate", short_help="Evaluate an encoder on localized tasks.")(evaluate.command)
app.command("compare", short_help="Compare all evaluated encoders in one table.")(compare.command)
app.add_typer(runs.app, name="runs", short_help="List runs, newest first; reindex, verify.")
app.command("diff", short_help="Two runs side by side: settings, metrics, versions.")(runs_diff.command)
app.command("import", short_help="Import runs of other programs, and results of others.")(import_runs.command)
app.command("show", short_help="Show one run: state, metrics, results, curve, log.")(show.command)
app.command("ground", short_help="Where on an image a run finds a phrase; measured on boxes.")(ground.command)
app.command("analyse", short_help="Statistics of a run's embeddings beside the published ones.")(analyse.command)
app.command("launch", short_help="Queue runs: many, behind each other, on terms.")(launch.command)
app.add_typer(queue.app, name="queue", short_help="What waits and why; pause, move, clear, take, autostart.")
app.command("stop", short_help="Ask runs to stop and save.")(stop.command)
app.command("kill", short_help="End runs at once, unsaved.")(stop.kill_command)
app.command("resume", short_help="Go on with a run that ended early.")(resume.command)
app.command("retry", short_help="Queue failed, lost or cancelled runs again.")(resume.retry_command)
app.command("wait", short_help="Wait until runs have ended.")(watch.wait_command)
app.command("logs", short_help="Print or follow a run's log.")(watch.logs_command)
app.command("tag", short_help="Tag a run.")(label.tag_command)
app.command("note", short_help="Write a note on a run.")(label.note_command)
app.command("rename", short_help="Give a run another name.")(label.rename_command)
app.command("rm", short_help="Runs to the trash, back, or gone for good.")(rm.command)
app.command("du", short_help="What takes the disk, by run and kind.")(du.command)
app.command("gc", short_help="Show what can go, and remove it after a yes.")(gc.command)
app.command("archive", short_help="Runs as one file with checksums.")(archive.command)
app.command("unarchive", short_help="Put the runs of an archive into the workspace.")(archive.unarchive_command)
app.command("doctor", short_help="What works on this machine, and what to do about the rest.")(doctor.command)
app.add_typer(sweep.app, name="sweep", short_help="Hyper-parameter search with Optuna over ordinary runs.")
app.add_typer(results.app, name="results")
app.add_typer(export.app, name="export", short_help="Tables, figures and encoders as files for other programs.")
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
    """Entry point: runs the command, turns an error into one message and its exit code."""
    from sqlite3 import Error as DatabaseError

    from lovt_core.errors import LovtError

    try:
        try:
            app(prog_name="lovt")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has gone; what is left in the buffer would be written, and fail again, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (LovtError, OSError, DatabaseError) as error:
        if getattr(main, "debug", False):
            raise
        sys.stderr.write(f"error: {visible(_describe(error))}\n")
        sys.exit(getattr(error, "exit_code", 1))


def _describe(error: Exception) -> str:
    """The message; the system's own errors with the file they are about."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


if __name__ == "__main__":
    main()
