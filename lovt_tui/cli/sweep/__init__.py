"""`lovt sweep`: hyper-parameter search with Optuna over ordinary runs."""

import typer

from lovt_tui.cli.sweep import best, confirm, control, export, pictures, run, status

app = typer.Typer(no_args_is_help=True)
app.command("run", short_help="Start a sweep, or go on with it, and follow it.")(run.command)
app.command("status", short_help="All sweeps, or one with its trials.")(status.command)
app.command("pause", short_help="Begin no more trials.")(control.pause_command)
app.command("resume", short_help="Go on with a paused, stopped or interrupted sweep.")(control.resume_command)
app.command("stop", short_help="Let all its runs save and stop.")(control.stop_command)
app.command("extend", short_help="More trials, hours, or trials at once.")(control.extend_command)
app.command("best", short_help="The winner beside the base; save it as an experiment.")(best.command)
app.command("importance", short_help="How much each parameter matters.")(pictures.importance_command)
app.command("plot", short_help="History, slices, contours and more in the terminal.")(pictures.plot_command)
app.command("report", short_help="Everything in one HTML file.")(pictures.report_command)
app.command("export", short_help="Trials as CSV, JSON, Markdown, LaTeX; the study as SQLite.")(export.command)
app.command("confirm", short_help="Winner and base again, with fresh seeds, on all tasks.")(confirm.command)
app.command("rebuild", short_help="A lost study from the run directories.")(control.rebuild_command)
