"""A half-filled comparison: scores, and evaluations that are queued, at work and failed; no files behind it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from lovt_core.runs.records import RunRow, StoredResult
from lovt_core.runs.workspace import Workspace
from lovt_core.tasks import TASKS, find_task
from lovt_tui.app import Dashboard
from lovt_tui.pages.reading import PageReader
from lovt_tui.reading.snapshot import Gauge
from lovt_tui.reading.sources import Sources
from tests.core.results.factories import encoder, evaluation, evaluation_run, scored_cell
from tests.tui.factories import NOW, FakeIndex, wait_for

LOVT = "20260901-120000-lovt-100-0001"
FIRST_MEANS = {"random": 0.3, "imagenet": 0.42, "lovt-100": 0.5}


def make_evaluation(number: int, state: Any, source: str, tasks: tuple[str, ...], **changes: Any) -> RunRow:
    """An evaluation run; the larger the number the later it was made."""
    settings = changes.pop("experiment", {})
    row = evaluation_run(str(number), state, evaluation(source, tasks, label=label_of(source), **settings))
    name = f"eval-{label_of(source)}"
    return replace(row, id=f"20260901-12{number:04}-{name}-{number:04}", name=name, created=NOW - 9000 + number,
                   **changes)  # fmt: skip


def label_of(source: str) -> str:
    return "lovt-100" if source == LOVT else source


def make_results(row: RunRow, *tasks: str, spread: float = 0.01, **changes: Any) -> list[StoredResult]:
    """Search, five replicates and cell of each task, as an evaluation stores them."""
    experiment = evaluation(row.experiment["encoder"]["source"], tasks, label=row.experiment["encoder"]["label"])
    return [result for task in tasks for result in _make_task(row, task, experiment, spread, changes)]


def _make_task(
    row: RunRow, task_id: str, experiment: Any, spread: float, changes: dict[str, Any]
) -> list[StoredResult]:
    changes = dict(changes)
    task = find_task(task_id)
    mean = FIRST_MEANS.get(experiment.encoder.label, 0.4) + task.number / 100
    values = changes.pop("values", None) or [mean + spread * step for step in (-1, 0.5, 0, 0.25, 0.25)]
    facts: dict[str, Any] = {"data": {"name": task.data, "fingerprint": f"data-of-{task.data}"}, "metric": task.metric}
    if experiment.encoder.source == LOVT:
        facts["encoder"] = encoder("lovt-100", backbone="resnet50", source=LOVT, pretrained_on=["mimic-cxr"])
    cell = scored_cell(row.id, task_id, experiment, values=values, mean=mean, ci95=spread, **facts)
    cell.data.update(changes)
    validation = [0.6 + rate for rate in task.learning_rates]
    found: list[dict[str, Any]] = [
        {"type": "rate", "task": task_id, "learning_rate": rate, "validation": score}
        for rate, score in zip(task.learning_rates, validation, strict=True)
    ]
    found.append({"type": "search", "task": task_id, "learning_rates": list(task.learning_rates),
                  "validation": validation, "chosen": max(task.learning_rates)})  # fmt: skip
    found += [
        {"type": "replicate", "task": task_id, "replicate": number, "seed": 1000 + number, "value": value,
         "validation": value + 0.02, "best_epoch": 8 + number, "epochs": 28, "metric": task.metric}
        for number, value in enumerate(values)
    ]  # fmt: skip
    return [StoredResult(row.id, row.name, 1, data) for data in found] + [replace(cell, run_name=row.name)]


def make_half_filled() -> FakeIndex:
    """Three encoders; one evaluation is running, one queued, one failed, and a quick one has a single replicate."""
    covid = ("covid-unet-frozen", "covid-linear")
    first = make_evaluation(1, "finished", "imagenet", (*covid, "rsna-linear-1", "rsna-linear-10", "nih-linear"))
    second = make_evaluation(2, "finished", "random", ("covid-linear", "rsna-linear-1"))
    third = make_evaluation(3, "finished", LOVT, (*covid, "rsna-linear-1", "rsna-linear-10"))
    running = make_evaluation(4, "running", LOVT, ("covid-unet-finetuned",), done=2, total=7, note="replicate 2")
    queued = make_evaluation(5, "queued", LOVT, ("rsna-linear-100",), detail="waits for a free slot")
    failed = make_evaluation(6, "failed", LOVT, ("siim-unet-frozen",), detail="CUDA out of memory at step 3")
    quick = make_evaluation(7, "finished", "random-fitted", ("covid-linear",))
    index = FakeIndex(quick, failed, queued, running, third, second, first)
    overlap = {"data": ["mimic-cxr"], "num_images": 3, "num_test_images": 40}
    index.stored = [
        *make_results(first, *covid, "rsna-linear-1", "rsna-linear-10", "nih-linear"),
        *make_results(second, "covid-linear", "rsna-linear-1", duplicates=[[0, 3], [1, 2, 4]], spread=0.0),
        *make_results(third, *covid, "rsna-linear-1", "rsna-linear-10", overlap=overlap),
        *make_results(running, "covid-unet-finetuned")[:4],
        *make_results(quick, "covid-linear", values=[0.44], ci95=None,
                      protocol={"name": "quick", "fingerprint": "quick", "marks": ["5 epochs", "1 replicate"]}),
    ]  # fmt: skip
    return index


def make_wide(num_encoders: int) -> FakeIndex:
    """Encoders with a score on each of the 18 tasks."""
    rows, stored = [], []
    tasks = tuple(task.id for task in TASKS)
    for number in range(num_encoders):
        row = make_evaluation(number, "finished", f"weights/{number:03}.pt", tasks)
        rows.append(row)
        stored += make_results(row, *tasks, spread=0.01 + number / 1000)
    index = FakeIndex(*reversed(rows))
    index.stored = stored
    return index


def make_compare_app(index: Any, workspace: Workspace) -> Dashboard:
    """A dashboard that reads real pages; nothing else is real."""
    gauge = Gauge("CPU", 12, 3 << 30, 16 << 30)
    sources = Sources(lambda: index, workspace.runs, lambda: (gauge,), lambda: NOW, dict, bool, PageReader(workspace))
    return Dashboard(workspace, place="~/lab", sources=sources)


def make_workspace(folder: Path) -> Workspace:
    """An empty one."""
    (folder / "runs").mkdir(parents=True)
    return Workspace(folder)


def running(app: Dashboard, size: tuple[int, int] = (120, 40)) -> Any:
    return app.run_test(notifications=True, size=size)


async def open_comparison(pilot: Pilot[None], text: str = "lovt-100") -> str:
    await pilot.pause(0.1)
    await pilot.press("4")
    return await wait_for(pilot, text)
