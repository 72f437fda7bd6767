"""MIMIC-CXR: images and tables of MIMIC-CXR-JPG with the reports of MIMIC-CXR, in one folder (PROTOCOL B.1).

One sample a study: all its frontal images, and the sentences of findings and impression. A part of the download
(`files/p10` alone) is a download too.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from lovt_core.data.data_set import DataSet
from lovt_core.data.prepared_meta import Problem
from lovt_core.data.reports.text import MIN_TOKENS, count_tokens
from lovt_core.data.sources.download import Download, Flow, Item, Labels, require_layout
from lovt_core.data.sources.mimic_images import IMAGES, Images, find_images
from lovt_core.data.sources.mimic_reports import ARCHIVE, iterate_reports, split_report
from lovt_core.data.sources.mimic_tables import CHEXPERT, METADATA, Study, Tables, read_tables

DATA_SET = DataSet(
    name="mimic-cxr",
    title="MIMIC-CXR (MIMIC-CXR-JPG with the reports of MIMIC-CXR)",
    kind="paired",
    summary="The data set of the protocol's pre-training: 227,835 studies with reports, under a data use agreement.",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    citation="Johnson, Pollard, Berkowitz et al.: MIMIC-CXR, a de-identified publicly available database of chest "
    "radiographs with free-text reports. Scientific Data 6, 317 (2019); Johnson, Pollard, Greenbaum et al.: "
    "MIMIC-CXR-JPG. arXiv:1901.07042",
    url="https://physionet.org/content/mimic-cxr-jpg/",
    approximate_size="377,110 images, 570 GB; reports 0.14 GB",
    documented_layout=(
        "files/p10/p10000032/s50414267/<dicom id>.jpg; some of the patients will do",
        "mimic-cxr-2.0.0-metadata.csv.gz    columns dicom_id, subject_id, study_id, ViewPosition",
        "mimic-cxr-2.0.0-split.csv.gz       columns dicom_id, subject_id, study_id, split",
        "mimic-cxr-2.0.0-chexpert.csv.gz    columns subject_id, study_id and 14 labels; may be absent",
        "mimic-cxr-reports.zip              from https://physionet.org/content/mimic-cxr/",
        "                                   or unpacked: mimic-cxr-reports/files/p10/p10000032/s50414267.txt",
    ),
    default_size=320,
    split_fractions=(0.98, 0.01, 0.01),
    credentialed=True,
)
_EXCLUDED = "mimic_excluded_studies.txt"


@functools.cache
def load_excluded() -> frozenset[str]:
    """The 54 studies that the published section parser treats as special cases; the protocol drops them."""
    text = (resources.files("lovt_core.data") / "published" / _EXCLUDED).read_text(encoding="utf-8")
    return frozenset(text.split())


def scan(root: Path) -> Download:
    """Read tables and reports and look for the images; raises DataError for a wrong folder or a damaged file."""
    tables = read_tables(root, (IMAGES,), DATA_SET)
    images = find_images(root, tables.studies, tables.files[METADATA])
    flow = Flow(tables.num_rows)
    studies = _select_studies(tables, images, flow)
    reports = _read_reports(root, studies)
    _count_reports(reports, len(studies), flow)
    if CHEXPERT not in tables.files:
        flow.drop(0, "no CheXpert table: studies have no findings")
    items = [
        _build_item(id_, studies[id_], images.present[id_], reports.sentences[id_])
        for id_ in sorted(reports.sentences, key=lambda id_: (studies[id_].patient, id_))
    ]
    names = (*tables.files.values(), *([ARCHIVE] if (root / ARCHIVE).is_file() else []))
    problems = (*tables.problems, *images.problems, *reports.problems)
    return Download(root, tuple(items), names, tuple(flow.steps), problems)


def read_labels(root: Path) -> Labels:
    """Images, studies, patients, splits and labels of the tables, and what the reports hold where they are there."""
    tables = read_tables(root, (), DATA_SET)
    studies = tables.studies.values()
    frontal = sum(len(study.frontal) for study in studies)
    splits = Counter(study.split for study in studies)
    counts = (
        ("images", frontal + sum(len(study.others) for study in studies)),
        ("frontal images (AP, PA)", frontal),
        ("patients", len({study.patient for study in studies})),
        ("studies", len(studies)),
        ("studies with a frontal image", sum(bool(study.frontal) for study in studies)),
        ("studies for training", splits["train"]),
        ("studies for validation", splits["validation"]),
        ("studies for test", splits["test"]),
        ("studies with CheXpert labels", sum(bool(study.findings) for study in studies)),
    )
    of_reports, problems = _count_sections(root, tables.studies)
    return Labels((*counts, *of_reports), tuple(tables.studies), (*tables.problems, *problems))


def _select_studies(tables: Tables, images: Images, flow: Flow) -> dict[str, Study]:
    """Studies that have an image here, a split, and no place on the list of exclusions."""
    num_others = sum(len(study.others) for study in tables.studies.values())
    studies = {id_: study for id_, study in tables.studies.items() if images.present.get(id_)}
    flow.drop(0, f"rows of {tables.files[METADATA]}")
    flow.drop(tables.num_unusable, "row unusable")
    flow.drop(num_others, "not a frontal view (AP, PA)")
    flow.drop(images.num_elsewhere, "image not in this part of the download")
    flow.drop(images.num_missing, "image missing")
    flow.drop(flow.kept - len(studies), "further images of the same study: from here on studies are counted")
    listed = studies.keys() & load_excluded()
    flow.drop(len(listed), f"on the list of {len(load_excluded())} excluded studies")
    selected = {id_: study for id_, study in studies.items() if id_ not in listed and study.split is not None}
    flow.drop(len(studies) - len(listed) - len(selected), "split missing or contradictory")
    return selected


@dataclass
class _Reports:
    """Sentences of all reports that can be used, and how many cannot."""

    sentences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    num_without_section: int = 0
    num_short: int = 0
    unusable: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def _read_reports(root: Path, studies: Mapping[str, Study]) -> _Reports:
    reports = _Reports()
    found = False
    for id_, report in iterate_reports(root, studies):
        found = True
        if isinstance(report, Problem):
            reports.problems.append(report)
            reports.unusable.add(id_)
            continue
        split = split_report(report)
        if split is None:
            reports.num_without_section += 1
        elif count_tokens(split[1]) < MIN_TOKENS:
            reports.num_short += 1
        else:
            reports.sentences[id_] = split[1]
    if studies and not found:
        require_layout(root, (ARCHIVE,), DATA_SET)
    return reports


def _count_reports(reports: _Reports, num_studies: int, flow: Flow) -> None:
    num_unusable = len(reports.unusable - reports.sentences.keys())
    num_found = len(reports.sentences) + reports.num_without_section + reports.num_short + num_unusable
    flow.drop(num_studies - num_found, "no report")
    flow.drop(num_unusable, "report unusable")
    flow.drop(reports.num_without_section, "report with neither findings nor impression")
    flow.drop(reports.num_short, f"report shorter than {MIN_TOKENS} tokens")


def _count_sections(root: Path, studies: Mapping[str, Study]) -> tuple[list[tuple[str, int]], list[Problem]]:
    counts: Counter[str] = Counter()
    problems: list[Problem] = []
    for _, report in iterate_reports(root, studies):
        if isinstance(report, Problem):
            problems.append(report)
            continue
        counts["reports"] += 1
        split = split_report(report)
        if split is not None:
            sections, sentences = split
            counts["reports with findings"] += bool(sections.findings)
            counts["reports with impression"] += bool(sections.impression)
            counts["reports with either"] += 1
            counts["sentences"] += len(sentences)
    names = ("reports", "reports with findings", "reports with impression", "reports with either", "sentences")
    return [(name, counts[name]) for name in names if counts], problems


def _build_item(id_: str, study: Study, dicoms: tuple[str, ...], sentences: tuple[str, ...]) -> Item:
    return Item(
        id=id_,
        patient=study.patient,
        images=tuple(f"{IMAGES}/{study.folder}/{id_}/{dicom}.jpg" for dicom in dicoms),
        sentences=sentences,
        findings=study.findings,
        split=study.split,
    )
