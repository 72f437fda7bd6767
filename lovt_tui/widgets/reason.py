"""A sentence in place: why a run ended, what is wrong with an experiment."""

from textual.widgets import Label

from lovt_tui.formatting import TONES


class Reason(Label):
    """Wraps to the width; hidden while there is nothing to say."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._said = ("", "")

    def show(self, text: str, tone: str = "error") -> None:
        """Say this; an empty text hides the line. What is said already costs nothing."""
        if (text, tone) == self._said:
            return
        self._said = text, tone
        self.set_class(bool(text), "-given")
        for name in TONES:
            self.set_class(name == tone, f"tone--{name}")
        self.update(text)
