"""A line to type in that takes keys in the order in which they come, however many arrive at once."""

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """Editing keys act at once.

    Textual writes a letter when the line gets it, but lets the app look up backspace or ctrl+u afterwards: over a slow
    link, where keys come in bunches, letters would overtake them.
    """

    async def _on_key(self, event: events.Key) -> None:
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not event.is_printable:
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return
        await super()._on_key(event)
