"""Which panes of the run screen are seen at which size of the terminal."""

from typing import Literal

Pane = Literal["charts", "log", "config", "diff", "events", "files", "system", "pictures"]
PANES: tuple[Pane, ...] = ("charts", "log", "config", "diff", "events", "files", "system", "pictures")
TEXT_PANES: tuple[Pane, ...] = ("log", "config", "diff", "events", "files", "system")
TWO_PANES = (100, 32)
FOUR_PANES = (160, 46)
USUAL: tuple[Pane, ...] = ("charts", "log", "events", "config")


def arrange_panes(width: int, height: int, current: Pane, beside: Pane) -> tuple[Pane, ...]:
    """Four in a large terminal, the charts and the pane `beside` them in a middling one, else the current one."""
    if width >= FOUR_PANES[0] and height >= FOUR_PANES[1]:
        return USUAL if beside in USUAL else (*USUAL[:3], beside)
    if width >= TWO_PANES[0] and height >= TWO_PANES[1]:
        return ("charts", beside)
    return (current,)
