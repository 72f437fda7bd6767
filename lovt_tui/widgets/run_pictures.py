"""The pane of pictures: one at a time, of a sheet one of its parts, with its name and how many there are."""

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Label
from textual.worker import get_current_worker

from lovt_core.errors import LovtError
from lovt_tui.formatting import clean, plural
from lovt_tui.listing.run_pictures import DrawnPart, RunPicture, draw_parts, list_pictures
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

    class Read(Message):
        """Another picture is there: there may be parts to go to."""

    def __init__(self, workspace: "Workspace", id: str | None = None) -> None:
        super().__init__(id=id)
        self._workspace = workspace
        self._run_id = ""
        self._pictures: tuple[RunPicture, ...] = ()
        self._place = 0
        self._parts: tuple[DrawnPart, ...] = ()
        self._part = 0
        self._loaded: object = None

    def compose(self) -> ComposeResult:
        """Name, picture."""
        yield Label(NOTHING, id="picture-title", markup=False)
        yield Picture(id="picture")

    @property
    def has_several(self) -> bool:
        """Whether there is another picture to go to."""
        return len(self._pictures) > 1 or len(self._parts) > 1

    def show(self, row: "RunRow", detail: "RunDetail") -> None:
        """The pictures among these files."""
        self._run_id = row.id
        self._pictures = list_pictures(detail.files)
        self._place = min(self._place, max(0, len(self._pictures) - 1))
        self._load()

    def step(self, direction: int) -> None:
        """The next part of a picture, else the next picture; or the one before."""
        if 0 <= self._part + direction < len(self._parts):
            self._part += direction
            self._draw()
        elif self._pictures:
            self._place = (self._place + direction) % len(self._pictures)
            self._part = 0 if direction > 0 else -1
            self._loaded = None
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
        parts: tuple[DrawnPart, ...] = ()
        problem = ""
        try:
            parts = draw_parts(self._workspace, path, picture)
        except (LovtError, OSError, ValueError, LookupError) as error:
            problem = f"{picture.title}: {error}"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, parts, problem)

    def _take(self, parts: tuple[DrawnPart, ...], problem: str) -> None:
        self._parts = parts
        self._part = max(0, len(parts) - 1) if self._part < 0 else 0
        if self._pictures:
            self._draw(problem)
        self.post_message(self.Read())

    def _draw(self, problem: str = "") -> None:
        view, picture = self.query_one(Picture), self._pictures[self._place]
        title = picture.title
        count = f"{self._place + 1} of {plural(len(self._pictures), 'picture')}"
        if problem:
            view.show_text(problem)
        elif not self._parts:
            view.show_file(self._workspace.runs / self._run_id / picture.path)
        else:
            part = self._parts[self._part]
            view.show_pixels(part.pixels, part.marks, part.legend)
            title = part.title
            count += f", part {self._part + 1} of {len(self._parts)} (h/l)" if len(self._parts) > 1 else ""
        self.query_one("#picture-title", Label).update(f"{count}  {clean(title)}")
