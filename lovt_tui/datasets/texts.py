"""Prepared data and downloads in words: what `lovt data` prints and the dashboard shows."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.data.inventory import Version
    from lovt_core.data.prepared_meta import FlowStep, PreparedMeta
    from lovt_core.data.reports.statistics import ReportStatistics
    from lovt_core.data.set_statistics import PartStatistics
    from lovt_core.data.split_lists import Agreement

Field = tuple[str, str]
"""Label and text; a label that is empty goes on with the field before."""


def meta_fields(meta: "PreparedMeta") -> tuple[Field, ...]:
    """Content, size, identity, flow and what was left out."""
    fields = [
        ("content", content_text(meta)),
        ("images", image_text(meta)),
        ("fingerprint", meta.fingerprint),
        ("origin", f"{origin_text(meta)}; from {meta.source} on {meta.created}"),
    ]
    for number, text in enumerate(flow_texts(meta.flow)):
        fields.append(("" if number else "flow", text))
    if meta.skipped:
        fields.append(("skipped", f"{len(meta.skipped)} files or rows that could not be used"))
    return (*fields, *(("", str(problem)) for problem in meta.skipped))


def work_text(meta: "PreparedMeta", decoded: int) -> str:
    """What a preparation did; `decoded` is how many samples it went through."""
    if not decoded:
        return "was prepared from these files already, and is whole"
    if not meta.num_kept:
        return "prepared"
    return f"prepared, {meta.num_kept} samples as they were decoded before and {meta.num_samples - meta.num_kept} anew"


def content_text(meta: "PreparedMeta") -> str:
    """How much there is."""
    parts = [f"{meta.num_samples} samples", f"{meta.num_images} images of {meta.num_patients} patients"]
    if meta.kind == "paired":
        parts.append(f"{meta.num_sentences} sentences")
    if meta.num_boxes:
        parts.append(f"{meta.num_boxes} boxes")
    if meta.classes:
        parts.append(f"classes {', '.join(meta.classes)}")
    return ", ".join(parts)


def image_text(meta: "PreparedMeta") -> str:
    """Size of the images and how their grey values were treated."""
    side = f"{meta.size} x {meta.size} pixels" if meta.mode == "square" else f"short side at most {meta.size} pixels"
    return f"{side}{', histogram-equalised' if meta.equalised else ''}"


def origin_text(meta: "PreparedMeta") -> str:
    """Whether these are the images of the data set itself."""
    if meta.synthetic:
        return "synthetic"
    return "genuine" if meta.genuine else "not genuine: other images in the layout of this data set"


def flow_texts(flow: "Sequence[FlowStep]") -> Iterator[str]:
    """What was there at first, and each step that dropped something."""
    for step in (flow[0], *(step for step in flow[1:] if step.dropped)):
        dropped = f"left without {step.dropped}: {step.what}" if step.dropped else step.what
        yield f"{step.kept} {dropped}"


def version_text(version: "Version") -> str:
    """One line about a version."""
    meta = version.meta
    if meta is None:
        return f"{version.folder.name}  damaged: {version.problem}"
    mark = "current" if version.is_current else "kept"
    text = f"{version.folder.name}  {meta.num_samples} samples, {origin_text(meta)}, {mark}"
    return f"{text}  ({version.problem})" if version.problem else text


def agreement_text(agreement: "Agreement | None") -> str:
    """Whether the ids of a download are those of the published split lists; None: there are no such lists."""
    if agreement is None:
        return "no split lists of this data set were published"
    if agreement.is_exact:
        return f"the published split lists name exactly these {agreement.found:,} ids"
    listed = agreement.found + len(agreement.missing)
    parts = [f"{agreement.found:,} of the {listed:,} ids of the published split lists are here"]
    differences = {
        "missing": agreement.missing,
        "in no list": agreement.extra,
        "named twice": agreement.repeated,
    }
    for what, ids in differences.items():
        if ids:
            parts.append(f"{len(ids):,} {what} (first: {ids[0]})")
    return ", ".join(parts)


def statistics_rows(parts: "Sequence[PartStatistics]") -> tuple[tuple[str, ...], ...]:
    """Rows of a table: a label, then the text of each part; headings of groups have empty texts."""
    columns = [_describe_part(part) for part in parts]
    labels = dict.fromkeys(label for column in columns for label in column)
    return tuple((label, *(column.get(label, "") for column in columns)) for label in labels)


def _describe_part(part: "PartStatistics") -> dict[str, str]:
    rows = {"samples": f"{part.samples:,}", "images": f"{part.images:,}", "patients": f"{part.patients:,}"}
    if part.positive is not None:
        rows["images with a finding"] = f"{part.positive:,}"
    if part.classes:
        rows["images (boxes), mean area of"] = ""
    for each in part.classes:
        rows[f"  {each.name}"] = f"{each.images:,} ({each.boxes:,}), {100 * each.area:.1f} %"
    if part.pixels is not None:
        rows["pixel mean"], rows["pixel deviation"] = (f"{value:.4f}" for value in part.pixels)
    if part.findings:
        rows["present / absent / uncertain"] = ""
    for finding, present, absent, uncertain in part.findings:
        rows[f"  {finding}"] = f"{present:,} / {absent:,} / {uncertain:,}"
    return rows | ({} if part.reports is None else _describe_reports(part.reports))


def _describe_reports(reports: "ReportStatistics") -> dict[str, str]:
    sentences, tokens = reports.sentences_a_report, reports.tokens_a_sentence
    return {
        "sentences": f"{reports.num_sentences:,}",
        "  a report: mean, largest": f"{sentences.mean:.1f}, {sentences.max}",
        "tokens": f"{reports.num_tokens:,}",
        "  a sentence: mean, largest": f"{tokens.mean:.1f}, {tokens.max}",
        "distinct words": f"{reports.vocabulary_size:,}",
        "repeated sentences": f"{100 * reports.repeated_share:.0f} %",
    }
