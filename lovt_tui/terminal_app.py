"""An app that is careful with its terminal: keys in their order, few bytes, copies, suspending, no tracebacks."""

from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.widgets import Input

from lovt_tui.changed_cells import TerminalMemory
from lovt_tui.formatting import abbreviate_home, fit, plural
from lovt_tui.preferences import state_folder

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen


class TerminalApp(App[None], inherit_bindings=False):
    """Which keys redraw and suspend, the app on it says."""

    def __init__(self) -> None:
        super().__init__()
        self._memory = TerminalMemory()

    def on_mount(self) -> None:
        """The terminal shows something else when the app comes back to it."""
        self.app_resume_signal.subscribe(self, lambda _: self._memory.forget())

    async def on_event(self, event: events.Event) -> None:
        """Keys act in the order in which they come, however many arrive at once (a slow link, a paste).

        Textual hands a key to what has the focus, and looks for its action only when that did not want it; by then the
        next keys are under way, and would not be typed into the line that the first one opens.
        """
        is_ours = isinstance(event, events.Key) and not event.is_forwarded and not isinstance(self.focused, Input)
        if is_ours and await self._run_key(event):
            return
        await super().on_event(event)

    async def _run_key(self, event: events.Event) -> bool:
        """Do what a key is bound to here; whether it is bound to anything."""
        assert isinstance(event, events.Key)
        return await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)

    def _display(self, screen: "Screen[object]", renderable: "RenderableType | None") -> None:
        """Send only cells that look different: textual draws whole widgets again where one digit has changed."""
        super()._display(screen, self._memory.narrow(renderable))

    def action_redraw(self) -> None:
        """All of it, whatever something else has written over it."""
        self._memory.forget()
        self.refresh(layout=True)

    def copy_to_clipboard(self, text: str) -> None:
        """By OSC 52, which no terminal answers, so into a file too."""
        from lovt_core.files import write_text_atomic

        super().copy_to_clipboard(text)
        path = state_folder() / "copied.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, text + "\n")
        first, *others = text.splitlines() or [""]
        more = f" and {plural(len(others), 'line')} more" if others else ""
        self.notify(f"copied, also to {abbreviate_home(path)}: {fit(first, 40).rstrip()}{more}", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where nothing fits."""
        self._memory.forget()
        from lovt_tui.screens.too_small import TooSmallScreen, is_too_small

        is_covered = isinstance(self.screen, TooSmallScreen)
        if is_too_small(event.size) and not is_covered:
            self.push_screen(TooSmallScreen())
        elif is_covered and not is_too_small(event.size):
            self.pop_screen()

    def action_suspend_process(self) -> None:
        """Back to the shell, where there is one; runs go on."""
        from lovt_tui.suspending import NOT_HERE, is_job, suspend_job

        if self._driver is not None and self._driver.can_suspend and is_job():
            self.app_suspend_signal.publish(self)
            suspend_job()
        else:
            self.notify(NOT_HERE)

    def _handle_exception(self, error: Exception) -> None:
        """Leave with a sentence instead of a traceback, which goes to a file; runs do not care."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        from lovt_tui.crash import describe_crash

        self._return_code = 1
        self.exit(return_code=1, message=describe_crash(error))
