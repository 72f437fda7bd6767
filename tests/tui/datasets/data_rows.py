"""Prepared data of a workspace for the screens that show it."""

from lovt_tui.pages.data import DataReader
from lovt_tui.pages.wishes import DataWish

WISH = DataWish()


def row_of(workspace, name="covid-rural"):
    """The data set as the screen shows it."""
    return DataReader(workspace).read(WISH).find(name)


def text_of(lines):
    """Lines of cells as text."""
    return "\n".join("".join(cell.text for cell in line).rstrip() for line in lines)
