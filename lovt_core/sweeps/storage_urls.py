"""Addresses of storages: made independent of the working folder, and shown without their passwords."""

import re
from pathlib import Path

JOURNAL = "journal:"
SQLITE = "sqlite:///"
_AFTER_NAME = re.compile(r"(://[^\s:/@]*):\S*@")
_IN_QUERY = re.compile(r"([?&;]\w*(?:password|passwd|pwd)=)[^&;\s'\"]*", re.IGNORECASE)


def hide_password(text: str) -> str:
    """The text, `***` in place of the passwords of all URLs in it."""
    return _IN_QUERY.sub(r"\1***", _AFTER_NAME.sub(r"\1:***@", text))


def is_same_storage(one: str, other: str) -> bool:
    """Whether two URLs lead to the same place, with or without a password."""
    first, second = (hide_password(make_absolute(url)).replace(":***@", "@") for url in (one, other))
    return first == second


def make_absolute(url: str) -> str:
    """The URL of a file with its whole path: coordinators work in another folder than whoever starts them."""
    for begin in (JOURNAL, SQLITE):
        path = url.removeprefix(begin)
        if path != url and path and not path.startswith((":", "/", "file:")):
            return f"{begin}{Path(path).expanduser().absolute()}"
    return url


def find_file(url: str) -> Path | None:
    """The file of a journal or a SQLite database; None for a storage of another kind."""
    for begin in (JOURNAL, SQLITE):
        path = url.removeprefix(begin)
        if path != url and path.startswith("/") and "?" not in path:
            return Path(path)
    return None
