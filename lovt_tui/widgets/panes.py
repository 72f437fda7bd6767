"""Which panes of the run screen are seen at which size of the terminal."""

from typing import Literal

Pane = Literal["charts", "log", "config", "diff", "events", "files", "system", "pictures"]
PANES: tuple[Pane, ...] = ("charts", "log", "config", "diff", "events", "files", "system", "pictures")
TEXT_PANES: tuple[Pane, ...] = ("log", "config", "diff", "events", "files", "system")
TWO_PANES = (100, 32)
FOUR_PANES = (160, 46)
USUAL: tuple[Pane, ...] = ("log", "events", "config")
Leading = Literal["charts", "pictures"]
"""What there is to look at: curves, or the pictures of an evaluation, which has none."""


def arrange_panes(width: int, height: int, current: Pane, beside: Pane, leading: Leading) -> tuple[Pane, ...]:
    """Four in a large terminal, the leading one and that `beside` it in a middling one, else the current one.

    The pane of the other kind of run, which is empty, is only seen where somebody goes to it.
    """
    if beside == leading:
        beside = "events"
    if width >= FOUR_PANES[0] and height >= FOUR_PANES[1]:
        return (leading, *USUAL) if beside in USUAL else (leading, *USUAL[:2], beside)
    if width >= TWO_PANES[0] and height >= TWO_PANES[1]:
        return (leading, beside)
    return (current,)
