"""Samples of a prepared data set, one after the other: the film with what is marked on it, and its report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message

from lovt_tui.datasets.background import answer_later
from lovt_tui.datasets.browsing import ALL, Place, SampleBook, SampleView
from lovt_tui.datasets.ordering import check_split_name
from lovt_tui.datasets.sample_texts import describe_place, describe_sample
from lovt_tui.formatting import clean
from lovt_tui.keyboard.keys import bind
from lovt_tui.messages import Act
from lovt_tui.pages.wishes import DataWish
from lovt_tui.reading.snapshot import Snapshot, Watch
from lovt_tui.screens.dashboard import DashboardScreen
from lovt_tui.screens.data_acting import READ_ERRORS
from lovt_tui.screens.pick import Choice, PickScreen
from lovt_tui.screens.prompt import Prompt, PromptScreen
from lovt_tui.widgets.key_bar import KeyBar
from lovt_tui.widgets.line_view import LineView
from lovt_tui.widgets.picture import Picture, has_half_blocks
from lovt_tui.widgets.reason import Reason
from lovt_tui.widgets.top_bar import TopBar
from lovt_tui.widgets.wrapped_view import WrappedView

OTHER_SPLIT = "another split …"
Turn = Callable[[SampleBook], Place]


Step = Callable[[SampleBook, Place], Place]
"""From one sample to another."""


class SamplesScreen(DashboardScreen):
    """Opened from the data sets; `esc` leads back."""

    CSS_PATH = "../styles/data.tcss"
    AUTO_FOCUS = "#sample-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("left,h", "step(-1)", "previous", "the sample before", priority=True),
        bind("right,l", "step(1)", "next", "the next sample", priority=True),
        bind("n", "marked(1)", "next marked", "the next sample with something marked"),
        bind("N", "marked(-1)", "previous marked", "the marked sample before", bar=False),
        bind("i", "image", "image", "the next image of this study"),
        bind("m", "marks", "marks", "draw masks and boxes, or the film alone"),
        bind("p", "part", "part", "training, validation or test; another split"),
        bind("slash", "find", "find", "find a sample of the chosen part by its id, or by some of it"),
        bind("e", "save", "save", "save the images of this sample as PNG"),
        bind("y", "copy", "copy id", "copy the id of this sample", bar=False),
        bind("escape", "back", "back", "back to the data sets"),
    ]
    NOTES: ClassVar[tuple[str, ...]] = (
        "Samples come in an order drawn at random, the same each time.",
        "Masks are tinted and outlined, boxes outlined; without colour letters stand for them.",
    )

    @dataclass
    class Turned(Message):
        """A thread has opened the book, or turned a page."""

        book: SampleBook | None
        view: SampleView | None
        problem: str = ""

    def __init__(self, place: str, folder: str) -> None:
        super().__init__()
        self._place = place
        self._folder = Path(folder)
        self._book: SampleBook | None = None
        self._view: SampleView | None = None
        self._is_turning = False
        self._waiting: tuple[Step, ...] = ()
        """Steps that were asked for while one was on its way."""
        self._with_marks = True

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TopBar(self._place, "Data")
        yield LineView(id="sample-title", focusable=False)
        yield Reason()
        with Container(id="sample"):
            yield Picture(id="sample-picture")
            yield WrappedView(id="sample-text")
        yield KeyBar()

    def on_mount(self) -> None:
        """Open the book."""
        self.query_one(Picture).show_text(f"reading the samples of {self._folder.parent.name} …")
        self._turn(lambda book: Place())

    @property
    def wanted(self) -> Watch:
        """The data sets stay watched."""
        return Watch(page=DataWish())

    def show(self, snapshot: Snapshot) -> None:
        """Gauges; and whether the version is still there."""
        self.query_one(TopBar).show(snapshot)
        gone = "" if self._folder.is_dir() else f"{self._folder} was removed: shown is what was read before"
        if gone or self._book is not None:
            self.query_one(Reason).show(gone, "warning")

    def _turn(self, turn: Turn, spec: str | None = None) -> None:
        """Go somewhere in a thread; while it is on its way, other wishes are dropped."""
        if not self._is_turning:
            self._is_turning = True
            answer_later(self, partial(_turn, self._book if spec is None else None, self._folder, spec, turn))

    def on_samples_screen_turned(self, event: Turned) -> None:
        """Show the page."""
        self._is_turning = False
        if not self.is_built:
            return
        if event.book is None or event.view is None:
            if self._view is None:
                self.query_one(Picture).clear()
                self.query_one(Reason).show(clean(event.problem))
            else:
                self.notify(event.problem, severity="error", markup=False)
            return
        self._book, self._view = event.book, event.view
        self._show_view()
        self.refresh_bindings()
        if self._waiting:
            self._walk(self._waiting, self._view.place)

    def _step(self, step: Step) -> None:
        """Take a step from what is shown, or after those that are on their way."""
        if self._is_turning:
            self._waiting += (step,)
        elif self._view is not None:
            self._walk((step,), self._view.place)

    def _walk(self, steps: tuple[Step, ...], place: Place) -> None:
        self._waiting = ()
        self._turn(lambda book: reduce(lambda reached, step: step(book, reached), steps, place))

    def _show_view(self) -> None:
        if self._view is None or self._book is None:
            return
        drawing, picture = self._view.drawing, self.query_one(Picture)
        if self._with_marks:
            pixels = drawing.tinted if has_half_blocks(self.app) else drawing.pixels
            picture.show_pixels(pixels, drawing.marks, drawing.legend)
        else:
            picture.show_pixels(drawing.pixels)
        text = self.query_one(WrappedView)
        text.wrap(partial(describe_sample, self._view))
        text.scroll_home(animate=False)
        self.query_one("#sample-title", LineView).show((describe_place(self._book.name, self._view),))

    def on_click(self, event: events.Click) -> None:
        """A click on the right half of the picture turns on, one on the left half back."""
        picture = self.query_one(Picture)
        if event.widget is picture:
            self.action_step(1 if event.screen_x >= picture.region.x + picture.region.width // 2 else -1)

    def action_step(self, direction: int) -> None:
        """The next or previous sample."""
        self._step(lambda book, place: Place(place.part, place.number + direction))

    def action_marked(self, direction: int) -> None:
        """The next or previous sample with something to see."""
        self._step(lambda book, place: book.find_marked(place, direction))

    def action_image(self) -> None:
        """The next image of the study."""
        self._step(lambda book, place: replace(place, image=place.image + 1))

    def action_marks(self) -> None:
        """With or without."""
        self._with_marks = not self._with_marks
        self._show_view()

    def action_part(self) -> None:
        """Choose."""
        if self._book is None or self._view is None:
            return
        counted = [Choice(name, f"{name}: {count:,} samples") for name, count in self._book.parts.items()]

        def choose(name: str | None) -> None:
            if name == OTHER_SPLIT:
                prompt = Prompt("Split", hint="published, download, patient:SEED or lists:HASH", check=check_split_name)
                self.app.push_screen(PromptScreen(prompt), self._choose_split)
            elif name is not None:
                self._turn(lambda book: Place(name))

        choices = [*counted, Choice(OTHER_SPLIT, f"{OTHER_SPLIT} (now {self._book.split.spec})")]
        self.app.push_screen(PickScreen("Samples of", choices, self._view.place.part), choose)

    def _choose_split(self, spec: str | None) -> None:
        if spec:
            self._turn(lambda book: Place(ALL), spec)

    def action_find(self) -> None:
        """Type an id."""

        def find(text: str | None) -> None:
            if text:
                self._turn(lambda book: book.find(text.strip(), part))

        part = self._view.place.part if self._view is not None else ALL
        title = "Find a sample" if part == ALL else f"Find a sample of {part}"
        self.app.push_screen(PromptScreen(Prompt(title, hint="its id, or a part of it")), find)

    def action_save(self) -> None:
        """Ask where."""
        book, view = self._book, self._view
        if book is None or view is None:
            return

        def save(folder: str | None) -> None:
            if folder:
                self.post_message(Act(lambda workspace: book.save(view, Path(folder).expanduser())))

        self.app.push_screen(PromptScreen(Prompt("Save as PNG in the folder", text="samples")), save)

    def action_copy(self) -> None:
        """Its id."""
        if self._view is not None:
            self.app.copy_to_clipboard(self._view.id)

    def action_back(self) -> None:
        """To the data sets."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have something to act on."""
        match action:
            case "marked" | "marks":
                return self._book is not None and self._book.has_marks
            case "image":
                return self._view is not None and self._view.num_images > 1
            case "step" | "part" | "find" | "save" | "copy":
                return self._view is not None
            case _:
                return super().check_action(action, parameters)


def _turn(book: SampleBook | None, folder: Path, spec: str | None, turn: Turn) -> SamplesScreen.Turned:
    try:
        book = book or SampleBook(folder, spec)
        return SamplesScreen.Turned(book, book.view(turn(book)))
    except READ_ERRORS as error:
        return SamplesScreen.Turned(None, None, str(error))
