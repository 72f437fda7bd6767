"""A workspace with data sets in every state, and the screens that show it."""

import json

from lovt_core.data.prepared_meta import FORMAT
from lovt_core.runs.workspace import find_workspace
from lovt_tui.app import Dashboard
from lovt_tui.datasets.preparing import Order, Preparation, preparation_files, write_preparation
from lovt_tui.pages.reading import PageReader
from lovt_tui.reading.snapshot import Gauge
from lovt_tui.reading.sources import Sources
from lovt_tui.widgets.data_table import SetTable
from tests.core.data.factories import prepare_quietly, synthesize_quietly, write_chestxray, write_rural
from tests.tui.factories import NOW, FakeIndex, wait_for

SIZES = [(40, 10), (80, 24), (120, 40), (200, 60)]
FINGERPRINT = "0123abcd" * 8


def make_workspace(tmp_path, monkeypatch):
    """An empty one. Paths in the home folder are the same in every test; nothing is copied to that of the user."""
    monkeypatch.delenv("LOVT_PREPARED", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return find_workspace(tmp_path / "lab")


def fill(workspace, tmp_path, monkeypatch):
    """Two prepared sets, a damaged one, one of a newer format, one at work and one that was refused."""
    monkeypatch.setattr("lovt_tui.datasets.describing.format_space", lambda num_bytes: "12 kB")
    root = workspace.prepared_root
    prepare_quietly("covid-rural", write_rural(tmp_path / "rural", count=12), root)
    prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "pairs", 8), root)
    for name in ("siim", "object-cxr"):
        prepare_quietly(name, synthesize_quietly(tmp_path / name, name, 8), root)
    for name in ("covid-rural", "covid-chestxray", "siim", "object-cxr"):
        settle(root / name)
    change_meta(root / "siim" / "32-0123abcd", format=FORMAT + 1)
    (root / "object-cxr" / "32-0123abcd" / "meta.json").write_text("{")
    refused = "nih-cxr: 1 files or rows of the download cannot be used:\n  images_001/a.png: no image\nrepair them"
    write(workspace, Preparation(Order("nih-cxr", "/films"), "refused", NOW, 7, 3, 40, message=refused))
    write(workspace, Preparation(Order("rsna", "/films"), "decoding", NOW, 7, 1200, 3000, "", 61.0))
    return workspace


def write(workspace, preparation):
    files = preparation_files(workspace, preparation.order.name)
    files.record.parent.mkdir(exist_ok=True)
    write_preparation(files, preparation)


def settle(folder):
    """Name and date a version so that they do not depend on the machine."""
    (version,) = folder.glob("32-*")
    version = version.rename(folder / "32-0123abcd")
    (folder / "current.json").write_text('{"32": "32-0123abcd"}')
    change_meta(version, fingerprint=FINGERPRINT, created="2026-09-01T12:00:00+00:00", source="/films/download")


def change_meta(version, **values):
    path = version / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def make_app(workspace):
    """A dashboard on a fake index that reads the real data folder."""
    gauge = Gauge("CPU", 12, 3 << 30, 16 << 30)
    pages = PageReader(workspace)
    sources = Sources(FakeIndex, workspace.runs, lambda: (gauge,), lambda: NOW, dict, bool, pages)
    return Dashboard(workspace, place="~/lab", sources=sources)


async def open_data(pilot, name="mimic-cxr"):
    """The screen of data sets with the cursor on one of them."""
    await pilot.press("5")
    await wait_for(pilot, lambda shown: "mimic-cxr" in shown)
    assert pilot.app.screen.query_one(SetTable).select(name)
    return await wait_for(pilot, lambda shown: f"▸ {name}" in shown)


async def open_samples(pilot, name="covid-rural"):
    await open_data(pilot, name)
    await pilot.press("enter")
    return await wait_for(pilot, lambda shown: "1 of " in shown and "▀" in shown)


async def wait_for_note(pilot, text):
    """Until a notification says so."""
    await wait_for(pilot, lambda shown: any(text in note.message for note in pilot.app._notifications))
