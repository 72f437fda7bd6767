"""`lovt doctor`: what works on this machine, and what to do about the rest."""

from dataclasses import asdict

import typer

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("BAD", "red")}


def command(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Look at GPUs, disk, weights, data, locks and terminal: what works, and what to do about the rest.

    Exit code 1 when something is bad; notes are no more than that.

    \b
    Example: lovt doctor
    """
    from rich.text import Text

    from lovt_tui.examination import examine

    place = get_workspace(workspace, reading=True)
    findings = []
    console = get_console()
    for finding in examine(place):
        findings.append(finding)
        if as_json:
            continue
        word, style = MARKS[finding.verdict]
        console.print(Text(f"{word:<5}", style=style), Text(f"{finding.area:<10}{finding.text}"), soft_wrap=True)
        if finding.remedy:
            console.print(f"{'':<16}{finding.remedy}", markup=False, soft_wrap=True)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    raise typer.Exit(1 if any(finding.verdict == "bad" for finding in findings) else 0)
