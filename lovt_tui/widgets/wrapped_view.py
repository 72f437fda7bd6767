"""Lines that are made for the width there is, and made again when it changes."""

from collections.abc import Callable

from lovt_tui.widgets.line_view import Line, LineView

MIN_WIDTH = 20


def describe_nothing(width: int) -> tuple[Line, ...]:
    """No lines."""
    return ()


class WrappedView(LineView):
    """A view whose lines never reach beyond its width."""

    def __init__(self, id: str | None = None, *, grows: bool = False) -> None:
        """`grows`: it is as high as its lines are many, as far as there is room."""
        super().__init__(id=id)
        self._describe: Callable[[int], tuple[Line, ...]] = describe_nothing
        self._grows = grows
        if grows:
            self.styles.height = 1

    def wrap(self, describe: Callable[[int], tuple[Line, ...]]) -> None:
        """Show what `describe` gives for a width in cells, as soon as there is one."""
        self._describe = describe
        if not self.size.width:
            return
        lines = describe(max(MIN_WIDTH, self.scrollable_content_region.width))
        if self._grows:
            self.styles.height = max(1, len(lines))
        self.show(lines)

    def on_resize(self) -> None:
        """Another width."""
        self.wrap(self._describe)
