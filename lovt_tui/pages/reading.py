"""From a wish to a page. Lives in the poller's thread; each page's reader is loaded with its first wish."""

from typing import TYPE_CHECKING, assert_never

from lovt_tui.pages.wishes import ComparisonWish, DataWish, PageWish, SweepsWish

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.pages.comparison import ComparisonPage, ComparisonReader
    from lovt_tui.pages.data import DataPage, DataReader
    from lovt_tui.pages.sweeps import SweepsPage, SweepsReader
    from lovt_tui.reading.sources import IndexReader

    Page = SweepsPage | ComparisonPage | DataPage


class PageReader:
    """Keeps one reader a kind of page, so that each remembers what it has read."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._sweeps: SweepsReader | None = None
        self._comparison: ComparisonReader | None = None
        self._data: DataReader | None = None

    def __call__(self, wish: PageWish, index: "IndexReader") -> "Page":
        """The page of now; the very object of the last time where nothing has changed."""
        match wish:
            case SweepsWish():
                if self._sweeps is None:
                    from lovt_tui.pages.sweeps import SweepsReader

                    self._sweeps = SweepsReader(self._workspace)
                return self._sweeps.read(wish)
            case ComparisonWish():
                if self._comparison is None:
                    from lovt_tui.pages.comparison import ComparisonReader

                    self._comparison = ComparisonReader(self._workspace)
                return self._comparison.read(wish, index)
            case DataWish():
                if self._data is None:
                    from lovt_tui.pages.data import DataReader

                    self._data = DataReader(self._workspace)
                return self._data.read(wish)
        assert_never(wish)
