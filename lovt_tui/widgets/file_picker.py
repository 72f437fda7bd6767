"""The list of experiment files, shipped ones first."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from lovt_tui.formatting import clean
from lovt_tui.starting import FileList


class FilePicker(OptionList, inherit_bindings=False):
    """Its options are named by what stands in the file line once they are highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "pick", tooltip="pick this file and go on to the overrides"),
        Binding("up,k", "cursor_up", "file up", show=False),
        Binding("down,j", "cursor_down", "file down", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
        Binding("home,g", "first", "first file", show=False),
        Binding("end,G", "last", "last file", show=False),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self.border_title = "experiment files"

    def show(self, files: FileList) -> None:
        """List these, and highlight the first."""
        for title, names in (("shipped", files.shipped), ("in this folder", files.local)):
            if names:
                self.add_option(Option(title, disabled=True))
                self.add_options(Option(f" {clean(name)}", id=name) for name in names)
        self.action_first()
