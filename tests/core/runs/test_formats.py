"""Earlier formats of run directories are brought to the current one when read; later ones are refused by name."""

from pathlib import Path

import pytest

from lovt_core.errors import RecordError
from lovt_core.runs import directory, formats
from lovt_core.runs.formats import FORMAT, UPGRADES, find_format, upgrade_origin

PATH = Path("/runs/x/origin.json")


def test_the_current_format_is_left_as_it_is():
    assert directory.FORMAT == FORMAT
    origin = {"format": FORMAT, "command": ["lovt"]}
    assert upgrade_origin(origin, PATH) == origin
    assert upgrade_origin({"command": []}, PATH) == {"command": [], "format": FORMAT}


def test_there_is_an_upgrade_from_every_earlier_format():
    assert set(UPGRADES) == set(range(1, FORMAT))


def test_a_later_format_names_who_wrote_it():
    with pytest.raises(RecordError) as caught:
        find_format({"format": FORMAT + 1, "version": "9.1.0"}, PATH)
    assert str(caught.value).startswith(f"{PATH} has format {FORMAT + 1}, written by lovt 9.1.0: this is lovt ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damaged", [0, -1, "1", None, True, 1.0])
def test_what_is_no_format(damaged):
    with pytest.raises(RecordError, match="a whole number from 1 to"):
        find_format({"format": damaged}, PATH)


def test_each_step_brings_one_format_to_the_next(monkeypatch):
    monkeypatch.setattr(formats, "FORMAT", 3)
    upgrades = {
        1: lambda old: {**old, "argv": old["command"]},
        2: lambda old: {key: value for key, value in old.items() if key != "command"},
    }
    old = {"format": 1, "command": ["lovt"]}
    assert upgrade_origin(old, PATH, upgrades) == {"format": 3, "argv": ["lovt"]}
    assert old == {"format": 1, "command": ["lovt"]}
