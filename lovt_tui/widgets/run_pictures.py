"""The pane of pictures: one at a time, with its name and how many there are."""

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label
from textual.worker import get_current_worker

from lovt_core.errors import LovtError
from lovt_tui.formatting import clean, plural
from lovt_tui.listing.run_pictures import DrawnCase, RunPicture, draw_case, list_pictures
from lovt_tui.widgets.picture import Picture

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.reading.snapshot import RunDetail

NOTHING = (
    "No pictures. An evaluation keeps the best, median and worst predictions of each task that it finishes; of a LoVT, "
    "`lovt show RUN --regions` makes pictures of what its sentences look at."
)


class RunPictures(Vertical, can_focus=True):
    """Pictures are read in a thread, and only while they are seen."""

    def __init__(self, workspace: "Workspace", id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._run_id = ""
        self._pictures: tuple[RunPicture, ...] = ()
        self._place = 0
        self._loaded: object = None

    def compose(self) -> ComposeResult:
        """Name, picture."""
        yield Label(NOTHING, id="picture-title", markup=False)
        yield Picture(id="picture")

    @property
    def has_several(self) -> bool:
        """Whether there is another picture to go to."""
        return len(self._pictures) > 1

    def show(self, row: "RunRow", detail: "RunDetail") -> None:
        """The pictures among these files."""
        self._run_id = row.id
        self._pictures = list_pictures(detail.files)
        self._place = min(self._place, max(0, len(self._pictures) - 1))
        self._load()

    def step(self, direction: int) -> None:
        """The next picture, or the one before."""
        if self._pictures:
            self._place = (self._place + direction) % len(self._pictures)
            self._load()

    def on_show(self) -> None:
        """Seen now."""
        self._load()

    def _load(self) -> None:
        if not self.display or not self._pictures:
            return
        picture = self._pictures[self._place]
        if self._loaded != (self._run_id, picture):
            self._loaded = self._run_id, picture
            self._read(picture)

    @work(thread=True, exclusive=True, group="picture")
    def _read(self, picture: RunPicture) -> None:
        path = self._workspace.runs / self._run_id / picture.path
        worker = get_current_worker()
        drawn: DrawnCase | str | None = None
        if picture.case is not None:
            try:
                drawn = draw_case(self._workspace, path, picture.case)
            except (LovtError, OSError, ValueError, IndexError) as error:
                drawn = f"{picture.title}: {error}"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._draw, picture, drawn)

    def _draw(self, picture: RunPicture, drawn: DrawnCase | str | None) -> None:
        view = self.query_one(Picture)
        match drawn:
            case None:
                view.show_file(self._workspace.runs / self._run_id / picture.path)
                title = picture.title
            case str():
                view.show_text(drawn)
                title = picture.title
            case DrawnCase():
                view.show_pixels(drawn.pixels, drawn.marks, drawn.legend)
                title = drawn.title
        count = f"{self._place + 1} of {plural(len(self._pictures), 'picture')}  "
        self.query_one("#picture-title", Label).update(count + clean(title))
