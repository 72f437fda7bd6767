"""Which panes of the run screen are seen at which size of the terminal."""

from typing import Literal

Pane = Literal["charts", "log", "config", "events"]
PANES: tuple[Pane, ...] = ("charts", "log", "config", "events")
TWO_PANES = (100, 32)
ALL_PANES = (160, 46)


def arrange_panes(width: int, height: int, current: Pane, beside: Pane) -> tuple[Pane, ...]:
    """All in a large terminal, the charts and the pane `beside` them in a middling one, else the current one."""
    if width >= ALL_PANES[0] and height >= ALL_PANES[1]:
        return PANES
    if width >= TWO_PANES[0] and height >= TWO_PANES[1]:
        return ("charts", beside)
    return (current,)
