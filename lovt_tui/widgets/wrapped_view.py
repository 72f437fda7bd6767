"""Lines that are made for the width there is, and made again when it changes."""

from collections.abc import Callable

from lovt_tui.widgets.line_view import Line, LineView

MIN_WIDTH = 20


def describe_nothing(width: int) -> tuple[Line, ...]:
    """No lines."""
    return ()


class WrappedView(LineView):
    """A view whose lines never reach beyond its width."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._describe: Callable[[int], tuple[Line, ...]] = describe_nothing

    def wrap(self, describe: Callable[[int], tuple[Line, ...]]) -> None:
        """Show what `describe` gives for a width in cells."""
        self._describe = describe
        self.show(describe(max(MIN_WIDTH, self.scrollable_content_region.width)))

    def on_resize(self) -> None:
        """Another width."""
        self.wrap(self._describe)
