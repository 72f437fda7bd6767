"""`lovt ground RUN --data NAME`: pointing game and contrast-to-noise ratio of each class's phrases."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import get_console, print_json
from lovt_tui.cli.data.printing import print_line
from lovt_tui.cli.trained_run import GLOBAL_NOTE, Job, Part, do_job

if TYPE_CHECKING:
    from rich.table import Table

    from lovt_core.config.inspection import Comparison


@dataclass(frozen=True)
class MarkedData:
    """Which marked images, and which phrases for their classes."""

    name: str
    splits: str
    part: Part
    phrases: tuple[str, ...]
    """`CLASS=TEXT` each; empty: the usual ones."""
    by: "Comparison"


def measure(job: Job, asked: MarkedData, *, as_json: bool) -> None:
    """Run the job and print its scores; raises InputError for what cannot be asked, and what the job does."""
    from lovt_core.config.inspection import GroundingRequest
    from lovt_core.config.split_names import HINT, is_split_name
    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.prepared import open_prepared
    from lovt_core.errors import InputError

    if not is_split_name(asked.splits):
        raise InputError(f"--splits: unknown split '{asked.splits}': {HINT}")
    name = find_data_set(asked.name).name
    open_prepared(job.place.prepared_root, name)
    request = GroundingRequest(
        run=job.run.id,
        checkpoint=job.checkpoint,
        data=name,
        split=asked.splits,
        part=asked.part,
        phrases=tuple(_read_phrase(text) for text in asked.phrases),
        by=asked.by,
    )
    (result,), notes = do_job(job, "grounding", request)
    if as_json:
        print_json({"run": job.run.id, **result, "notes": notes})
        return
    print_line(
        f"{job.run.id} on {result['num_images']} marked {result['part']} images of {result['data']} "
        f"{result['data_fingerprint'][:8]}, split {result['split']}, "
        f"by {result['by']}"
    )
    get_console().print(_tabulate(result))
    if result["projections"] == "global":
        print_line(f"note: {GLOBAL_NOTE}")


def _read_phrase(text: str) -> tuple[str, str]:
    from lovt_core.errors import InputError

    name, found, phrase = text.partition("=")
    if not found or not name.strip() or not phrase.strip():
        raise InputError(f"--phrase '{text}' is not of the form CLASS=TEXT, such as pneumonia=opacity")
    return name.strip(), phrase.strip()


def _tabulate(result: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("class", "phrase"):
        table.add_column(heading, overflow="fold")
    for heading in ("images", "pointing game", "chance", "|CNR|", "CNR"):
        table.add_column(heading, justify="right")
    rows = [(each["class"], each["phrase"], each) for each in result["phrases"]]
    for name, phrase, each in (*rows, ("all", "", result["all"])):
        table.add_row(name, phrase, *_cells(each))
    return table


def _cells(score: dict[str, Any]) -> list[str]:
    if not score["maps"]:
        return ["0", "-", "-", "-", "-"]
    shares = [f"{100 * score[name]:.1f} %" for name in ("pointing_game", "chance")]
    return [str(score["maps"]), *shares, *(f"{float(score[name]):.3f}" for name in ("cnr", "signed_cnr"))]
