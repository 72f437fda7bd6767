"""The COVID-19 image data collection (ieee8023/covid-chestxray-dataset): `metadata.csv` and `images/`.

One sample an image: its clinical note is the report. Kept are X-rays in frontal view, as the protocol keeps (PROTOCOL
B.1: AP and PA only), whose note has at least three tokens.
"""

from collections.abc import Callable
from pathlib import Path

from lovt_core.data.prepared_meta import Problem
from lovt_core.data.report_text import MIN_TOKENS, count_tokens, split_sentences
from lovt_core.data.sources.download import Download, Flow, Item, find_repeated_ids, require_layout
from lovt_core.data.tables import Row, read_table

TABLE = "metadata.csv"
COLUMNS = ("patientid", "filename", "view", "modality", "clinical notes")
FRONTAL_VIEWS = frozenset({"pa", "ap", "ap supine", "ap erect", "ap semi erect"})


def scan(root: Path, documented_layout: tuple[str, ...]) -> Download:
    """Read the table and look for the images; raises DataError for a wrong folder or a damaged table."""
    require_layout(root, (TABLE, "images"), documented_layout)
    rows = read_table(root / TABLE, COLUMNS).rows
    flow = Flow(len(rows))
    flow.drop(0, f"rows of {TABLE}")
    kept = _keep(rows, lambda row: row["modality"].lower() in ("x-ray", "xray"), flow, "not an X-ray")
    kept = _keep(kept, _is_frontal, flow, "not a frontal view (PA, AP)")
    kept = _keep(kept, _has_report, flow, f"clinical note shorter than {MIN_TOKENS} tokens")
    present = {path.name for path in (root / "images").iterdir()}
    problems = [problem for row in kept if (problem := _find_problem(row, present)) is not None]
    flow.drop(len(problems), "image or patient missing")
    items = [_build_item(row) for row in kept if _find_problem(row, present) is None]
    items_once, repeated = find_repeated_ids(items)
    flow.drop(len(repeated), "named more than once")
    return Download(root, items_once, (TABLE,), tuple(flow.steps), (*problems, *repeated))


def _keep(rows: tuple[Row, ...], wanted: Callable[[Row], bool], flow: Flow, what: str) -> tuple[Row, ...]:
    kept = tuple(row for row in rows if wanted(row))
    flow.drop(len(rows) - len(kept), what)
    return kept


def _is_frontal(row: Row) -> bool:
    return " ".join(row["view"].lower().replace("-", " ").split()) in FRONTAL_VIEWS


def _has_report(row: Row) -> bool:
    return count_tokens(split_sentences(row["clinical notes"])) >= MIN_TOKENS


def _find_problem(row: Row, present: set[str]) -> Problem | None:
    where = f"{TABLE}: row {row.number}"
    if not row["patientid"]:
        return Problem(where=where, what="no patient in column Patientid")
    if row["filename"] not in present:
        named = row["filename"] or "(nothing)"
        return Problem(where=where, what=f"the image {named} is not in the folder images")
    return None


def _build_item(row: Row) -> Item:
    return Item(
        id=row["filename"],
        patient=row["patientid"],
        images=(f"images/{row['filename']}",),
        sentences=split_sentences(row["clinical notes"]),
    )
