"""The `lovt-tui` command: options, preferences, and the dashboard in this terminal or in a browser."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lovt_core.errors import InputError, LovtError
from lovt_tui.app import Dashboard
from lovt_tui.formatting import abbreviate_home
from lovt_tui.preferences import Preferences
from lovt_tui.themes import THEMES

MAX_PORT = 65_535
SWITCH_SECONDS = 0.001
"""Python's 5 ms are felt: while the poller works, each key waits for the interpreter several times."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: finds the workspace and opens the dashboard on it."""
    options = _parser().parse_args(arguments)
    try:
        if options.keys:
            from lovt_tui.keyboard.key_names import describe_keys
            from lovt_tui.preferences import load_preferences, preferences_file

            sys.stdout.write(describe_keys(load_preferences(preferences_file()).keys))
            return
        from lovt_core.runs.workspace import find_workspace

        workspace = find_workspace(options.workspace)
        preferences = _choose(options)
        if options.web:
            _serve(options, workspace.path)
            return
    except LovtError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    if not (sys.stdin.isatty() and sys.stderr.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        sys.stderr.write("error: the dashboard needs a terminal or --web; scripts read `lovt runs --json`\n")
        sys.exit(2)
    sys.setswitchinterval(SWITCH_SECONDS)
    app = Dashboard(workspace, place=abbreviate_home(workspace.path), preferences=preferences)
    app.run()
    sys.exit(app.return_code)


def _serve(options: argparse.Namespace, workspace: Path) -> None:
    """In a browser, until ctrl-c. Raises InputError."""
    try:
        from lovt_tui.web import Address, DashboardServer, check_address, dashboard_arguments, serve
    except ImportError as error:
        raise InputError(f"--web needs the package {error.name}: pip install 'lovt-tui[web]'") from error
    address = Address(options.host, options.port)
    if warning := check_address(address, options.i_know):
        sys.stderr.write(f"{warning}\n")
    given = ["--theme", options.theme] if options.theme else []
    server = DashboardServer(dashboard_arguments(workspace, given), address)
    tell = "{}\nEach tab is a dashboard of its own; ctrl-c ends them all, and no run.\n"
    serve(server, lambda url: (sys.stdout.write(tell.format(url)), sys.stdout.flush()))


def _choose(options: argparse.Namespace) -> Preferences:
    """The preferences file, with what the command line says instead."""
    from lovt_tui.ascii_mode import needs_ascii
    from lovt_tui.preferences import load_preferences, preferences_file

    found = load_preferences(preferences_file())
    return replace(
        found,
        theme=options.theme or found.theme,
        ascii=options.ascii or found.ascii or needs_ascii(),
        slow_link=options.slow_link or found.slow_link,
    )


def _read_port(text: str) -> int:
    """Of a port; argparse says what is wrong with another text."""
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: a whole number from 0 to {MAX_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    from lovt_core import __version__
    from lovt_tui.preferences import preferences_file

    parser = argparse.ArgumentParser(
        prog="lovt-tui",
        description="Dashboard of LoVT runs: configure, launch, watch, sweep, compare. Quitting never stops a run.",
        epilog=f"Preferences and keys of your own: {abbreviate_home(preferences_file())}. "
        "Everything here can be scripted with the `lovt` command. Example: lovt-tui --workspace ~/lovt-workspace",
    )
    parser.add_argument("--version", action="version", version=f"lovt-tui {__version__}")
    parser.add_argument(
        "--workspace", "-w", type=Path, help="workspace folder [default: $LOVT_HOME, else the nearest lovt-workspace]"
    )
    parser.add_argument("--theme", choices=tuple(THEMES), help="colours [default: dark]")
    parser.add_argument("--ascii", action="store_true", help="draw in ASCII [default: where the locale is not UTF-8]")
    parser.add_argument("--slow-link", action="store_true", help="fewer updates, for a thin line")
    parser.add_argument("--keys", action="store_true", help="list all actions with their keys, and leave")
    web = parser.add_argument_group("in a browser")
    web.add_argument("--web", action="store_true", help="serve the dashboard to a browser, and print its URL")
    web.add_argument(
        "--port", type=_read_port, metavar="PORT", default=8417, help="port [default: 8417; 0: any free one]"
    )
    web.add_argument("--host", default="127.0.0.1", help="address to listen on [default: 127.0.0.1]")
    web.add_argument("--i-know", action="store_true", help="with a --host that others can reach: yes, do it")
    return parser


if __name__ == "__main__":
    main()
