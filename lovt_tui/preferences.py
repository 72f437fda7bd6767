"""What people set for their dashboard: a TOML file of theirs, `$XDG_CONFIG_HOME/lovt/dashboard.toml`.

theme = "light"
ascii = true            # no characters beyond ASCII
slow_link = true        # fewer updates

[keys]
stop = "X"              # names and keys: lovt-tui --keys
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lovt_core.errors import InputError
from lovt_tui.themes import THEMES


@dataclass(frozen=True)
class Preferences:
    """All of them."""

    theme: str = "dark"
    ascii: bool = False
    slow_link: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    """Name of an action -> keys, with commas between."""


def preferences_file() -> Path:
    """Where they stand; the file need not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "lovt" / "dashboard.toml"


def state_folder() -> Path:
    """Where the dashboard leaves what it cannot show: copied text, details of errors."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "lovt"


def load_preferences(path: Path) -> Preferences:
    """Read the file; a missing one means the defaults. Raises InputError naming what is wrong with it."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Preferences()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    known = [each.name for each in fields(Preferences)]
    for key, value in found.items():
        if key not in known:
            raise InputError(f"{path}: unknown key '{key}': known are {', '.join(known)}")
        _check(path, key, value)
    if keys := found.get("keys"):
        from lovt_tui.keyboard.key_names import check_keys

        check_keys(path, keys)
    return Preferences(**found)


def _check(path: Path, key: str, value: Any) -> None:
    match key:
        case "theme" if value not in THEMES:
            raise InputError(f"{path}: theme: '{value}' is none: one of {', '.join(THEMES)}")
        case "ascii" | "slow_link" if not isinstance(value, bool):
            raise InputError(f"{path}: {key}: '{value}' is neither true nor false")
        case "keys" if not (isinstance(value, dict) and all(isinstance(each, str) for each in value.values())):
            raise InputError(f'{path}: keys: a table of names and keys, such as stop = "X"')
        case _:
            return
