"""The bottom line: the keys that do something here, read from the live bindings. A click presses the key."""

from dataclasses import dataclass
from itertools import accumulate

from textual import events
from textual.binding import Binding
from textual.keys import key_to_character
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from lovt_tui.formatting import COMPONENTS, Cell
from lovt_tui.widgets.painting import paint, tone_styles

KEY_NAMES = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "enter", "escape": "esc", "slash": "/",
    "question_mark": "?", "colon": ":", "plus": "+", "minus": "-", "equals_sign": "=", "pageup": "pgup",
    "pagedown": "pgdn", "space": "space", "f1": "F1", "shift+tab": "shift+tab",
}  # fmt: skip


GAP = 2


def name_key(key: str) -> str:
    """A key as people read it: `less_than_sign` is `<`."""
    character = key_to_character(key)
    known = KEY_NAMES.get(key)
    return known if known is not None else character if character is not None and character.isprintable() else key


@dataclass(frozen=True)
class LiveKey:
    """One action and all the keys that do it here."""

    keys: tuple[str, ...]
    action: str
    title: str
    help: str
    is_shown: bool
    is_everywhere: bool
    """Bound by the app rather than by the screen or what has the focus."""

    @property
    def label(self) -> str:
        """The keys as people read them."""
        return " ".join(name_key(key) for key in self.keys)

    @property
    def bar_label(self) -> str:
        """The first key, as the bar shows it."""
        return name_key(self.keys[0])

    @property
    def bar_width(self) -> int:
        """Cells it takes in the bar, the gap included."""
        return len(self.bar_label) + 1 + len(self.title) + GAP


def live_keys(screen: Screen[object]) -> tuple[LiveKey, ...]:
    """What the keyboard does on a screen just now, one entry an action, the focused widget's first."""
    found: dict[tuple[int, str], list[tuple[str, Binding]]] = {}
    owners = {}
    for key, active in screen.active_bindings.items():
        if active.enabled and not _is_typed(screen, key, active.binding):
            name = (id(active.node), active.binding.action)
            found.setdefault(name, []).append((key, active.binding))
            owners[name] = active.node
    return tuple(
        LiveKey(
            keys=tuple(key for key, _ in bindings),
            action=action,
            title=bindings[0][1].description,
            help=bindings[0][1].tooltip or bindings[0][1].description,
            is_shown=any(binding.show for _, binding in bindings),
            is_everywhere=owners[node, action] is screen.app,
        )
        for (node, action), bindings in found.items()
        if bindings[0][1].description
    )


def _is_typed(screen: Screen[object], key: str, binding: Binding) -> bool:
    """Whether the key writes its letter where the focus is."""
    focused = screen.focused
    return not binding.priority and focused is not None and focused.check_consume_key(key, key_to_character(key))


class KeyBar(Widget):
    """As many of the keys as fit."""

    COMPONENT_CLASSES = COMPONENTS

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[LiveKey, ...] = ()

    def on_mount(self) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def _update(self, screen: Screen[object]) -> None:
        keys = tuple(key for key in live_keys(screen) if key.is_shown)
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        cells = [
            cell
            for place in self._places()
            for cell in (Cell(place.label, "accent"), Cell(f" {place.title}{' ' * GAP}"))
        ]
        return paint([Cell(" "), *cells], tone_styles(self), self.rich_style, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        place = next((place for place in self._places() if place.start <= event.x < place.end), None)
        if place is not None:
            self.app.simulate_key(place.key)

    def _places(self) -> list["_Place"]:
        """Where each key stands: as many as fit, those that work everywhere (help, quit) before all others."""
        everywhere = [item for item in self._keys if item.is_everywhere]
        left = self.size.width - 1 - sum(item.bar_width for item in everywhere)
        here = [item for item in self._keys if not item.is_everywhere]
        ends = accumulate(item.bar_width for item in here)
        shown = [item for item, end in zip(here, ends, strict=True) if end <= left]
        places: list[_Place] = []
        start = 1
        for item in (*shown, *everywhere):
            places.append(_Place(start, start + item.bar_width, item.keys[0], item.bar_label, item.title))
            start += item.bar_width
        return places


@dataclass(frozen=True)
class _Place:
    start: int
    end: int
    key: str
    label: str
    title: str
