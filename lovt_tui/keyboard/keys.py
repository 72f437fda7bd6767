"""Keys of the dashboard: each is bound to an action whose name people use to give it other keys."""

from textual.binding import Binding


def bind(keys: str, action: str, title: str, help: str = "", *, bar: bool = True, priority: bool = False) -> Binding:
    """Bind keys (Textual's names, commas between) to an action.

    `title` stands in the bar at the bottom unless `bar` is off; `help` is the longer text of the help and the palette.
    The action is also the name under which the settings file gives it other keys.
    """
    name = action.removeprefix("app.")
    return Binding(keys, action, title, show=bar, tooltip=help, priority=priority, id=name)
