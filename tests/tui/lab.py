"""A laboratory at work: 340 runs, a sweep of 50 trials, a half-filled comparison; nothing in it moves."""

import math
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from lovt_core.runs.records import Curve, EventRow, RunRow
from lovt_core.runs.workspace import Workspace
from lovt_tui.app import Dashboard
from lovt_tui.pages.reading import PageReader
from lovt_tui.preferences import Preferences
from lovt_tui.reading.snapshot import Gauge
from lovt_tui.reading.sources import Sources
from tests.core.data.factories import prepare_quietly, write_chestxray, write_rural
from tests.core.sweeps.factories import make_config, make_pair, make_sweep
from tests.tui.comparing.comparison_factories import make_half_filled
from tests.tui.datasets.data_workspace import settle
from tests.tui.factories import NOW, FakeIndex, make_row, screen_text, wait_for
from tests.tui.sweeping.sweep_factories import write_sweep

NUM_RUNS = 340
HOUR = 3600.0
METHODS = ("lovt", "convirt", "clip", "byol", "simclr", "pixelpro", "supervised")
ENDS: tuple[tuple[str, str], ...] = (
    ("finished", ""),
    ("finished", ""),
    ("finished", ""),
    ("failed", "CUDA out of memory at step 12 (batch 128)"),
    ("finished", ""),
    ("stopped", ""),
    ("finished", ""),
    ("pruned", "by the median of 6 trials at epoch 4"),
    ("finished", ""),
    ("interrupted", ""),
    ("lost", "its worker died without a last word"),
    ("cancelled", ""),
)
GPUS = (Gauge("GPU0", 98, 61 << 30, 80 << 30, 412), Gauge("GPU1", 91, 58 << 30, 80 << 30, 397))


def make_lab_index() -> FakeIndex:
    """The runs and what they have recorded."""
    evaluations = make_half_filled()
    rows = [*_at_work(), *evaluations.rows]
    rows += [_ended(number) for number in range(NUM_RUNS - len(rows))]
    index = FakeIndex(*sorted(rows, key=lambda row: -row.created))
    index.stored = evaluations.stored
    for number, row in enumerate(rows):
        if row.kind == "pretrain" and row.state in ("running", "finished", "stopped"):
            index.curves[row.id] = _curves(number, row.done or 1)
    busy = rows[0]
    index.event_rows[busy.id] = [
        EventRow(
            1, NOW - 3 * HOUR, "started", {"host": "node", "slot": "GPU 0", "pid": 4711, "versions": {"torch": "2.8.0"}}
        ),
        EventRow(
            1, NOW - 2 * HOUR, "saved", {"checkpoint": "2000-a1", "step": 2000, "is_last": False, "is_best": True}
        ),
        EventRow(1, NOW - HOUR, "saved", {"checkpoint": "4000-a1", "step": 4000, "is_last": True, "is_best": False}),
    ]
    return index


def _at_work() -> list[RunRow]:
    settings = {"method": {"name": "lovt"}, "training": {"batch_size": 32, "max_epochs": 100}}
    at_work = [
        make_row(
            f"lovt-100-seed{seed}",
            "running",
            experiment={**settings, "seed": seed},
            created=NOW - 600 - seed,
            started=NOW - 3 * HOUR,
            done=4100 - 700 * seed,
            total=10_000,
            epoch=41.0 - 7 * seed,
            seconds_left=4.3 * HOUR,
            slot=f"GPU {seed}",
            tags=("tau", "paper"),
            latest={"train/loss": 3.412 + seed / 10, "time/step_seconds": 0.42},
            best={"val/loss": 3.398 + seed / 10},
        )
        for seed in (0, 1)
    ]
    queued = [
        make_row(
            name,
            "queued",
            experiment={"method": {"name": method}},
            created=NOW - HOUR - number,
            started=None,
            done=0,
            total=None,
            epoch=0.0,
            best={},
            latest={},
            slot="",
            detail="waits for a free GPU",
            priority=1 - number,
        )
        for number, (name, method) in enumerate((("convirt-100", "convirt"), ("pixelpro-100", "pixelpro")))
    ]
    return [*at_work, *queued]


def _ended(number: int) -> RunRow:
    method, (state, detail) = METHODS[number % len(METHODS)], ENDS[number % len(ENDS)]
    created = NOW - 6 * HOUR - number * 2.5 * HOUR
    share = 1.0 if state == "finished" else 0.2 + number % 7 / 10
    facts: dict[str, Any] = {
        "experiment": {"method": {"name": method}, "seed": number},
        "created": created,
        "started": created + 60,
        "ended": created + 60 + share * 5 * HOUR,
        "done": round(10_000 * share),
        "total": 10_000,
        "epoch": 100 * share,
        "detail": detail,
        "tags": ("baseline",) if number % 9 == 0 else (),
        "slot": "GPU 0",
        "latest": {"train/loss": 3.2 + number % 13 / 20, "val/loss": 3.5 + number % 17 / 20},
        "best": {"val/loss": 3.4 + number % 17 / 20},
    }
    if method == "supervised":
        facts["best"] |= {"val/auroc": 0.7 + number % 17 / 100}
    if state == "cancelled":
        facts |= {"started": None, "done": 0, "epoch": 0.0, "latest": {}, "best": {}}
    return make_row(f"{method}-30-{number:03}", state, id=f"20260801-120000-{method}-{number:04}", **facts)


def _curves(number: int, done: int) -> list[Curve]:
    steps = tuple(range(20, done + 1, 20)) or (1,)
    rough = [math.sin(step * 0.37 + number) * 0.08 + math.sin(step * 0.051) * 0.05 for step in steps]
    fall = [3.3 + number % 5 / 10 + 2.4 * math.exp(-step / 1500) for step in steps]
    shares = [0.25 + 0.2 * math.exp(-step / 2000) for step in steps]
    values = {
        "train/loss": [a + b for a, b in zip(fall, rough, strict=True)],
        "val/loss": [
            a + 0.1 + b / 3 + max(0, step - 3000) / 20_000 for a, b, step in zip(fall, rough, steps, strict=True)
        ],
        "train/share/global": [0.5] * len(steps),
        "train/share/regions": shares,
        "train/share/sentences": [0.5 - share for share in shares],
        "train/learning_rate": [3e-4 * (0.5 + 0.5 * math.cos(step / 10_000 * math.pi)) for step in steps],
        "train/gradient_norm": [
            4 + 10 * math.exp(-step / 800) + abs(b) * 5 for step, b in zip(steps, rough, strict=True)
        ],
    }
    epochs, times = tuple(step / 100 for step in steps), tuple(NOW - 3 * HOUR + step * 2.6 for step in steps)
    return [Curve(metric, steps, epochs, times, each) for metric, each in values.items()]


def write_lab(folder: Path, index: FakeIndex) -> Workspace:
    """What lies on the disk: sweeps, data, log and experiment of the first run; beside it a file of one's own."""
    workspace = Workspace(folder)
    root = workspace.prepared_root
    prepare_quietly("covid-rural", write_rural(folder.parent / "rural", count=12), root)
    prepare_quietly("covid-chestxray", write_chestxray(folder.parent / "pairs", 60), root)
    for name in ("covid-rural", "covid-chestxray"):
        settle(root / name)
    (folder.parent / "mine.yaml").write_text(OWN_FILE)
    config, trials = make_sweep(50)
    write_sweep(folder, config, trials, "resume", NOW - 3 * HOUR)
    pair, points = make_pair([(0.1 * n, 0.2 + 0.07 * n - 0.01 * (n % 3) ** 3) for n in range(12)])
    write_sweep(folder, pair.model_copy(update={"name": "pair"}), points, created=NOW - 30 * HOUR)
    _, few = make_sweep(8)
    write_sweep(folder, make_config(name="waiting"), few, "pause", NOW - 9 * HOUR)
    busy = next(row for row in index.rows if row.name == "lovt-100-seed0")
    run = workspace.runs / busy.id
    run.mkdir(parents=True)
    log = [f"epoch {epoch} of 100: val/loss {3.4 + 2 / (epoch + 1):.4f}, 1,480 pairs/s" for epoch in range(1, 42)]
    (run / "log.txt").write_text("\n".join(log) + "\n")
    (run / "experiment.yaml").write_text(EXPERIMENT)
    return workspace


OWN_FILE = """\
base: tiny/lovt.yaml
name: mine
data: {name: covid-chestxray, image_size: 64}
training: {batch_size: 4, max_epochs: 20}
"""
EXPERIMENT = """\
kind: pretrain
name: lovt-100-seed0
seed: 0
data:
  name: mimic-cxr
method:
  name: lovt
  objective:
    global: {temperature: 0.1, weight: 0.75}
    regions: {temperature: 0.3, weight: 0.375}
    sentences: {temperature: 0.3, weight: 0.375}
training:
  batch_size: 32
  accumulate: 16
  max_epochs: 100
  precision: bf16
"""


def make_lab(folder: Path, theme: str = "dark") -> Dashboard:
    """A dashboard on the laboratory; its clock stands."""
    index = make_lab_index()
    workspace = write_lab(folder, index)
    sources = Sources(lambda: index, workspace.runs, lambda: GPUS, lambda: NOW, dict, bool, PageReader(workspace))
    return Dashboard(workspace, place="~/lovt-workspace", preferences=Preferences(theme), sources=sources)


SCREENS = {
    "runs": ((), "lovt-100-seed0"),
    "run": (("enter",), "[charts]"),
    "new": (("2", "enter"), "can be queued"),
    "sweeps": (("3",), "of 50"),
    "compare": (("4", "P"), "imagenet"),
    "data": (("5", *["down"] * 5), "validation        2"),
}
"""The keys that lead to a screen, and what it shows when it is there."""


async def open_screen(pilot: Pilot[None], name: str) -> None:
    """Go to a screen of the laboratory, and wait until nothing moves."""
    keys, text = SCREENS[name]
    await _settle(pilot, "lovt-100-seed0")
    await pilot.press(*keys)
    await _settle(pilot, text)


async def _settle(pilot: Pilot[None], text: str) -> None:
    await wait_for(pilot, text)
    before = ""
    while (shown := screen_text(pilot.app)) != before:
        before = shown
        await pilot.pause(0.6)
