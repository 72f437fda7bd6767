"""`lovt data stats`: what prepared data holds, per part of its split."""

from typing import TYPE_CHECKING

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import FingerprintOption, NameArgument, SizeOption, SplitsOption, print_line

if TYPE_CHECKING:
    from lovt_core.data.reports.statistics import ReportStatistics
    from lovt_core.data.set_statistics import PartStatistics


def command(
    name: NameArgument,
    size: SizeOption = None,
    fingerprint: FingerprintOption = None,
    splits: SplitsOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count samples, patients, findings, boxes and sentences per split; mean and deviation of its pixels.

    \b
    Example: lovt data stats openi
    """
    from dataclasses import asdict

    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.prepared import open_prepared
    from lovt_core.data.set_statistics import compute_set_statistics
    from lovt_core.data.splits import build_split

    root = get_workspace(workspace).prepared_root
    data = open_prepared(root, find_data_set(name).name, size, fingerprint)
    split = build_split(data, splits)
    parts = compute_set_statistics(data, split)
    if as_json:
        print_json({"path": data.path, "split": split.spec, "parts": [asdict(part) for part in parts]})
        return
    print_line(split.announcement, indent=2)
    _print_table(parts)


def _print_table(parts: "tuple[PartStatistics, ...]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for part in parts:
        table.add_column(part.name, justify="right", no_wrap=True)
    cells = [_describe(part) for part in parts]
    for label in dict.fromkeys(label for column in cells for label in column):
        table.add_row(label, *(column.get(label, "") for column in cells))
    get_console().print(table, markup=False)


def _describe(part: "PartStatistics") -> dict[str, str]:
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
