"""The COVID-19 image data collection (ieee8023/covid-chestxray-dataset): `metadata.csv` and `images/`.

One sample an image: its clinical note is the report. Kept are X-rays in frontal view, as the protocol keeps (PROTOCOL
B.1: AP and PA only), whose note has at least three tokens.
"""

from collections.abc import Callable
from pathlib import Path

from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.reports.text import MIN_TOKENS, count_tokens, split_sentences
from lovt_core.data.sources.download import Download, Flow, Item, Labels, find_repeated_ids, require_layout
from lovt_core.data.tables import Row, read_table

DATA_SET = DataSet(
    name="covid-chestxray",
    title="COVID-19 image data collection",
    kind="paired",
    summary="Open paired set: chest X-rays with free-text clinical notes, collected from publications.",
    licence="per image, in the column `license` of metadata.csv; research use",
    citation="Cohen, Morrison, Dao, Roth, Duong, Ghassemi: COVID-19 Image Data Collection: Prospective Predictions "
    "Are the Future. MELBA 2020:002 (arXiv:2006.11988)",
    url="https://github.com/ieee8023/covid-chestxray-dataset",
    approximate_size="about 950 rows with CT slices, 0.5 GB",
    documented_layout=(
        "metadata.csv    columns Patientid, filename, view, modality, clinical notes (newer: clinical_notes)",
        "images/         the files named in the column `filename`",
    ),
    default_size=320,
    split_fractions=(0.8, 0.2, 0.0),
)
TABLE = "metadata.csv"
COLUMNS = ("patientid", "filename", "view", "modality", "clinical notes")
FRONTAL_VIEWS = frozenset({"pa", "ap", "ap supine", "ap erect", "ap semi erect"})


def scan(root: Path) -> Download:
    """Read the table and look for the images; raises DataError for a wrong folder or a damaged table."""
    require_layout(root, (TABLE, "images"), DATA_SET)
    rows = read_table(root / TABLE, COLUMNS).rows
    flow = Flow(len(rows))
    flow.drop(0, f"rows of {TABLE}")
    kept = _keep(rows, _is_xray, flow, "not an X-ray")
    kept = _keep(kept, _is_frontal, flow, "not a frontal view (PA, AP)")
    kept = _keep(kept, _has_report, flow, f"clinical note shorter than {MIN_TOKENS} tokens")
    present = {path.name for path in (root / "images").iterdir()}
    problems = [problem for row in kept if (problem := _find_problem(row, present)) is not None]
    flow.drop(len(problems), "image or patient missing")
    items = [_build_item(row) for row in kept if _find_problem(row, present) is None]
    items_once, repeated = find_repeated_ids(items)
    flow.drop(len(repeated), "named more than once")
    return Download(root, items_once, (TABLE,), tuple(flow.steps), (*problems, *repeated))


def read_labels(root: Path) -> Labels:
    """Rows, patients, X-rays, frontal views and notes of the table."""
    require_layout(root, (TABLE,), DATA_SET)
    rows = read_table(root / TABLE, COLUMNS).rows
    counts = (
        ("rows", len(rows)),
        ("patients", len({row["patientid"] for row in rows})),
        ("X-rays", sum(map(_is_xray, rows))),
        ("frontal X-rays", sum(_is_xray(row) and _is_frontal(row) for row in rows)),
        ("frontal X-rays with a report", sum(_is_xray(row) and _is_frontal(row) and _has_report(row) for row in rows)),
    )
    return Labels(counts, tuple(dict.fromkeys(row["filename"] for row in rows)), ())


def _is_xray(row: Row) -> bool:
    return row["modality"].lower() in ("x-ray", "xray")


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
