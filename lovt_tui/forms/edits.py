"""What the keys of the form do to a draft."""

import shlex
from collections.abc import Mapping
from typing import Any

from lovt_core.errors import InputError
from lovt_tui.forms.drafts import Draft, in_sweep
from lovt_tui.forms.paths import MISSING, Path, look_up
from lovt_tui.forms.ranges import parse_entry
from lovt_tui.forms.values import parse_text, parse_yaml, show_value
from lovt_tui.forms.views import Row


def set_text(draft: Draft, row: Row, text: str) -> Draft:
    """With a typed value; one that decides which keys follow takes along what both of them have."""
    if row.field.tags is not None and text in row.field.tags:
        return _choose_section(draft, row, text)
    if row.field.form == "entry":
        return draft.change(row.field.path, parse_entry(row.field, text, row.original), row.original)
    return draft.change(row.field.path, parse_text(row.field, text), row.original)


def step(draft: Draft, row: Row) -> Draft | None:
    """With the other of two values, or the next of several; None for a key that has no such values."""
    field = row.field
    if field.form == "bool":
        return draft.change(field.path, not field.value if isinstance(field.value, bool) else True, row.original)
    if field.form == "switch":
        on = row.original if isinstance(row.original, Mapping) else {}
        return draft.change(field.path, on if field.value is None else None, row.original)
    if not field.choices:
        return None
    values = [show_value(None), *field.choices] if field.is_optional else list(field.choices)
    place = values.index(shown) if (shown := show_value(field.value)) in values else -1
    return set_text(draft, row, values[(place + 1) % len(values)])


def take_out(draft: Draft, row: Row) -> Draft:
    """Without the key: its default counts, or a parameter of the space is gone."""
    return draft.change(row.field.path, MISSING, look_up(draft.original, in_sweep(row.field.path)))


def apply_overrides(draft: Draft, text: str) -> Draft:
    """With `key=value` parts, as behind `--set`, also of the launch; raises InputError for a part that is none."""
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise InputError("a quote is not closed") from error
    for part in parts:
        key, sign, value = part.partition("=")
        if not sign or not key.strip("."):
            raise InputError(f"'{part}' is not of the form key.path=value")
        draft = draft.change(_find_path(draft, key), parse_yaml(value))
    return draft


def _find_path(draft: Draft, key: str) -> Path:
    """A sweep's own keys before those of its launch, these before those of its base."""
    from lovt_core.config.sweep import SweepConfig
    from lovt_tui.forms.launching import RunLaunch, SweepLaunch

    keys = key.strip().split(".")
    if draft.start.kind == "experiment":
        return ("launch" if keys[0] in RunLaunch.model_fields else "experiment", *keys)
    if keys[0] in SweepConfig.model_fields:
        return ("sweep", *keys)
    return ("launch" if keys[0] in SweepLaunch.model_fields else "base", *keys)


def _choose_section(draft: Draft, row: Row, tag: str) -> Draft:
    assert row.field.tags is not None
    *above, key = row.field.path
    if row.field.path[0] == "base":
        return draft.change(row.field.path, tag, row.original)
    model = row.field.tags[tag]
    known = {field.alias or name for name, field in model.model_fields.items()}
    section: Any = look_up(draft.documents, tuple(above))
    kept = {name: value for name, value in section.items() if name in known} if isinstance(section, Mapping) else {}
    original = look_up(draft.original, tuple(above))
    return draft.change(tuple(above), {**kept, str(key): tag}, original)
