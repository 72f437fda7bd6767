"""The Indiana University chest X-ray collection of NLM Open-i: one XML a report, PNG images beside.

One sample a report: all its images, and the sentences of FINDINGS, then IMPRESSION (`openi_reports` tells how the marks
of de-identification are treated). The files name no patient, so each report counts as a patient of its own.

The captions (`Xray Chest PA and Lateral`) do not tell which image shows which view. `indiana_projections.csv` of the
release on Kaggle does: where it lies in the folder, frontal images alone are kept. It calls the image
`CXR1000_IM-0003-1001.png` of report 1000 `1000_IM-0003-1001.dcm.png`, and `CXR1_1_IM-0001-4001.png` of report 1
`1_IM-0001-4001.dcm.png`.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.reports.text import MIN_TOKENS, count_tokens
from lovt_core.data.sources.download import Download, Flow, Item, Labels, printable, require_layout
from lovt_core.data.sources.openi_reports import Report, read_reports
from lovt_core.data.tables import stream_table
from lovt_core.errors import DataError

DATA_SET = DataSet(
    name="openi",
    title="Indiana University chest X-ray collection (NLM Open-i)",
    kind="paired",
    summary="Open paired set: 3,955 radiology reports with 7,470 frontal and lateral chest X-rays.",
    licence="CC BY-NC-ND 4.0",
    citation="Demner-Fushman, Kohli, Rosenman et al.: Preparing a collection of radiology examinations for "
    "distribution and retrieval. JAMIA 23(2), 304-310 (2016)",
    url="https://openi.nlm.nih.gov/faq",
    approximate_size="3,955 reports (1 MB) and 7,470 images (1.4 GB)",
    documented_layout=(
        "NLMCXR_reports.tgz       as downloaded (or unpacked: ecgen-radiology/*.xml)",
        "NLMCXR_png/              the images of NLMCXR_png.tgz, unpacked (or the .png files directly beside)",
        "indiana_projections.csv  optional, from the release on Kaggle: columns uid, filename, projection",
    ),
    default_size=320,
    split_fractions=(0.8, 0.1, 0.1),
)
REPORT_ARCHIVE, REPORT_FOLDER = "NLMCXR_reports.tgz", "ecgen-radiology"
IMAGE_ARCHIVE, IMAGE_FOLDER = "NLMCXR_png.tgz", "NLMCXR_png"
VIEWS = "indiana_projections.csv"
VIEW_COLUMNS = ("uid", "filename", "projection")

_SUFFIXES = re.compile(r"(?:\.dcm)?\.png\Z")


def scan(root: Path) -> Download:
    """Read the reports and look for their images; raises DataError for a wrong folder or a damaged archive or table."""
    reports_name, folder = _require_parts(root)
    present = _list_images(root / folder)
    reports, problems = read_reports(root, reports_name)
    flow = Flow(len(reports) + len(problems))
    flow.drop(0, f"reports of {reports_name}")
    flow.drop(len(problems), "report unreadable or repeated")
    problems += _find_unnamed(present, reports, problems, folder)
    sentences = {report.id: report.split() for report in reports}
    kept = _keep_readable(reports, sentences, flow)
    views, faults = _read_views(root / VIEWS) if (root / VIEWS).exists() else (None, [])
    problems += faults
    wanted = _keep_all_views(kept, flow) if views is None else _keep_frontal(root, kept, views, flow)
    items: list[Item] = []
    for report, images in wanted:
        absent = [image for image in images if f"{image}.png" not in present]
        problems += [_report_absent(report, image, folder) for image in absent]
        files = tuple(f"{folder}{image}.png" for image in images if image not in absent)
        if files:
            items.append(Item(report.id, report.id, files, sentences[report.id]))
    flow.drop(len(wanted) - len(items), "no image there")
    tables = tuple(name for name in (reports_name, VIEWS) if (root / name).is_file())
    return Download(root, tuple(items), tables, tuple(flow.steps), tuple(problems))


def read_labels(root: Path) -> Labels:
    """Reports, images, sections, sentences and marks of de-identification, whether or not the images are there."""
    name = _find_reports(root)
    if name is None:
        require_layout(root, (REPORT_ARCHIVE,), DATA_SET)
    reports, problems = read_reports(root, name or REPORT_ARCHIVE)
    if (root / VIEWS).exists():
        problems = [*problems, *_read_views(root / VIEWS)[1]]
    counts = (
        ("reports", len(reports)),
        ("images", sum(len(report.images) for report in reports)),
        ("reports without images", sum(not report.images for report in reports)),
        ("reports with findings", sum(bool(report.findings) for report in reports)),
        ("reports with impression", sum(bool(report.impression) for report in reports)),
        ("reports with either", sum(bool(report.findings or report.impression) for report in reports)),
        ("sentences", sum(len(report.split()) for report in reports)),
        ("marks XXXX", sum(report.num_marks for report in reports)),
        ("reports with marks XXXX", sum(report.num_marks > 0 for report in reports)),
    )
    return Labels(counts, tuple(report.id for report in reports), tuple(problems))


def _find_reports(root: Path) -> str | None:
    return next((name for name in (REPORT_ARCHIVE, REPORT_FOLDER) if (root / name).exists()), None)


def _require_parts(root: Path) -> tuple[str, str]:
    """Name of the archive or folder of reports, and the folder of images: `NLMCXR_png/` or nothing."""
    require_layout(root, (), DATA_SET)
    reports = _find_reports(root)
    folder = None
    if (root / IMAGE_FOLDER).exists():
        folder = f"{IMAGE_FOLDER}/"
    elif any(root.glob("*.png")):
        folder = ""
    if reports is not None and folder is None and (root / IMAGE_ARCHIVE).exists():
        target = shlex.quote(str(root / IMAGE_FOLDER))
        archive = shlex.quote(str(root / IMAGE_ARCHIVE))
        raise DataError(f"{root}: the images are still packed: mkdir {target} && tar xzf {archive} -C {target}")
    if reports is None or folder is None:
        missing = [name for name, found in ((REPORT_ARCHIVE, reports), (IMAGE_FOLDER, folder)) if found is None]
        require_layout(root, missing, DATA_SET)
    return reports or REPORT_ARCHIVE, folder or ""


def _list_images(folder: Path) -> set[str]:
    present = {path.name for path in folder.iterdir() if path.suffix == ".png" and not path.name.startswith(".")}
    if not present:
        raise DataError(f"{folder}: no .png file there")
    return present


def _find_unnamed(
    present: set[str], reports: Sequence[Report], unreadable: Sequence[Problem], folder: str
) -> list[Problem]:
    """Images that no report names; those of reports that cannot be read have been told of already."""
    named = {f"{image}.png" for report in reports for image in report.images}
    lost = {f"CXR{Path(problem.where).stem}" for problem in unreadable}
    unnamed = sorted(name for name in present - named if name.partition("_")[0] not in lost)
    return [Problem(where=f"{folder}{printable(name)}", what="no report names this image") for name in unnamed]


def _report_absent(report: Report, image: str, folder: str) -> Problem:
    return Problem(where=report.where, what=f"the image {image}.png is not in {folder or 'the folder'}")


def _keep_readable(reports: Sequence[Report], sentences: Mapping[str, tuple[str, ...]], flow: Flow) -> list[Report]:
    """Reports with images and text."""
    pictured = [report for report in reports if report.images]
    flow.drop(len(reports) - len(pictured), "without images")
    written = [report for report in pictured if report.findings or report.impression]
    flow.drop(len(pictured) - len(written), "neither findings nor impression")
    kept = [report for report in written if count_tokens(sentences[report.id]) >= MIN_TOKENS]
    flow.drop(len(written) - len(kept), f"report shorter than {MIN_TOKENS} tokens")
    return kept


def _keep_all_views(reports: Sequence[Report], flow: Flow) -> list[tuple[Report, tuple[str, ...]]]:
    flow.drop(0, f"frontal and lateral views are kept: there is no {VIEWS} to tell them apart")
    return [(report, report.images) for report in reports]


def _keep_frontal(
    root: Path, reports: Sequence[Report], views: Mapping[str, str], flow: Flow
) -> list[tuple[Report, tuple[str, ...]]]:
    """Each report with its frontal images, as the table of views has them; without any it is dropped."""
    if not any(image in views for report in reports for image in report.images):
        raise DataError(f"{root / VIEWS}: it names none of the images of the reports: is it of this collection?")
    frontal = [(each, tuple(image for image in each.images if views.get(image) == "frontal")) for each in reports]
    kept = [(report, images) for report, images in frontal if images]
    unknown = sum(image not in views for report in reports for image in report.images)
    flow.drop(len(frontal) - len(kept), f"no frontal view ({unknown} images are not in {VIEWS})")
    return kept


def _read_views(path: Path) -> tuple[dict[str, str], list[Problem]]:
    """`frontal` or `lateral` by the id of the image, and rows that say neither."""
    views: dict[str, str] = {}
    problems = []
    for row in stream_table(path, VIEW_COLUMNS):
        view = row["projection"].lower()
        if view not in ("frontal", "lateral"):
            what = f"the projection '{row['projection']}' is neither Frontal nor Lateral"
            problems.append(Problem(where=f"{VIEWS}: row {row.number}", what=what))
            continue
        stem = _SUFFIXES.sub("", row["filename"])
        for image in (stem, f"CXR{stem}", f"CXR{row['uid']}_{stem}"):
            views[image] = view
    return views, problems
