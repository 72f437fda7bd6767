"""The sweeps of a workspace as the screen shows them."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_tui.pages.wishes import SweepsWish

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.sweeping.following import SweepFollower
    from lovt_tui.sweeping.study import Study, SweepSummary

ACTIVE = ("running", "starting", "interrupted", "paused")
"""States of sweeps that are not over: they stand first."""


@dataclass(frozen=True)
class SweepsPage:
    """What the screen shows."""

    wish: SweepsWish
    sweeps: "tuple[SweepSummary, ...]" = ()
    """Those that are not over first, then the newest."""
    study: "Study | None" = None
    """The sweep that the wish names; None where it is damaged or gone."""
    problem: str = ""
    """Why the sweeps could not be listed."""


class SweepsReader:
    """Reads again only what may have changed."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._followers: dict[str, SweepFollower] = {}
        self._last: SweepsPage | None = None

    def read(self, wish: SweepsWish) -> SweepsPage:
        """The page of now; the very object of the last time where nothing has changed."""
        page = self._read(wish)
        if self._last is None or not _is_same(page, self._last):
            self._last = page
        return self._last

    def _read(self, wish: SweepsWish) -> SweepsPage:
        try:
            names = self._list_names()
        except OSError as error:
            return SweepsPage(wish, problem=f"cannot read {error.filename}: {error.strerror}")
        self._followers = {name: self._followers.get(name) or self._follow(name) for name in names}
        found = [follower.read() for follower in self._followers.values()]
        summaries = sorted((summary for summary, _ in found), key=_rank)
        study = next((study for summary, study in found if summary.name == wish.sweep), None)
        return SweepsPage(wish, tuple(summaries), study)

    def _list_names(self) -> list[str]:
        """Folders of sweeps; those whose names begin with a dot are being written."""
        try:
            with os.scandir(self._workspace.path / "sweeps") as entries:
                return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        except FileNotFoundError:
            return []

    def _follow(self, name: str) -> "SweepFollower":
        from lovt_core.sweeps.folder import SweepFolder
        from lovt_tui.sweeping.following import SweepFollower

        return SweepFollower(SweepFolder(self._workspace, name))


def _rank(summary: "SweepSummary") -> tuple[bool, float, str]:
    return summary.state not in ACTIVE, -(summary.created or 0.0), summary.name


def _is_same(page: SweepsPage, other: SweepsPage) -> bool:
    """By the objects' identity: comparing thousands of trials takes longer than showing them."""
    same_sweeps = [*map(id, page.sweeps)] == [*map(id, other.sweeps)]
    return same_sweeps and page.study is other.study and (page.wish, page.problem) == (other.wish, other.problem)
