"""The command palette: every key that works where you are, every screen, every run, by some of its letters."""

from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from lovt_tui.formatting import clean
from lovt_tui.messages import OpenRun
from lovt_tui.reading.snapshot import Snapshot
from lovt_tui.widgets.key_bar import live_keys

MAX_RUNS = 2000
"""Newest runs that are searched by name."""


def build_palette(screen: Screen[object], snapshot: Snapshot | None) -> CommandPalette:
    """The palette of a screen as it is now."""
    keys = tuple(key for key in live_keys(screen) if key.keys[0] not in ("escape", "ctrl+p", "colon"))
    commands = [(f"{key.help}  ({key.label})", partial(press, screen, key.keys[0])) for key in keys]
    runs = () if snapshot is None else snapshot.runs[:MAX_RUNS]
    names = [(f"run {clean(row.name)}  {row.state}  {row.id}", partial(open_run, screen, row.id)) for row in runs]

    class Commands(Provider):
        """Keys first, runs where something is typed."""

        async def discover(self) -> Hits:
            for text, do in commands:
                yield DiscoveryHit(text, do)

        async def search(self, query: str) -> Hits:
            matcher = self.matcher(query)
            for text, do in (*commands, *names):
                if (score := matcher.match(text)) > 0:
                    yield Hit(score, matcher.highlight(text), do)

    return CommandPalette(providers=[Commands], placeholder="what to do, or the name of a run")


def press(screen: Screen[object], key: str) -> None:
    """Press a key where the palette was opened."""
    screen.app.simulate_key(key)


def open_run(screen: Screen[object], run_id: str) -> None:
    """Show a run."""
    screen.post_message(OpenRun(run_id))
