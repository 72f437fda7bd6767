"""`lovt data stats`: what prepared data holds, per part of its split."""

from typing import TYPE_CHECKING

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import FingerprintOption, NameArgument, SizeOption, SplitsOption, print_line

if TYPE_CHECKING:
    from lovt_core.data.report_statistics import ReportStatistics
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
    print_line(split.announcement)
    _print_table(parts)


def _print_table(parts: "tuple[PartStatistics, ...]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for part in parts:
        table.add_column(part.name, justify="right")
    cells = [_describe(part) for part in parts]
    for label in dict.fromkeys(label for column in cells for label in column):
        table.add_row(label, *(column.get(label, "") for column in cells))
    get_console().print(table, markup=False)


def _describe(part: "PartStatistics") -> dict[str, str]:
    rows = {"samples": f"{part.samples:,}", "images": f"{part.images:,}", "patients": f"{part.patients:,}"}
    if part.positive is not None:
        rows["images with a finding"] = f"{part.positive:,}"
    for each in part.classes:
        rows[f"  {each.name} (boxes)"] = f"{each.images:,} ({each.boxes:,})"
        rows[f"    mean area of {each.name}"] = f"{100 * each.area:.1f} %" if each.images else "-"
    if part.pixels is not None:
        rows["pixel mean / deviation"] = f"{part.pixels[0]:.4f} / {part.pixels[1]:.4f}"
    for finding, present, absent, uncertain in part.findings:
        rows[f"  {finding} (present / absent / uncertain)"] = f"{present:,} / {absent:,} / {uncertain:,}"
    return rows | ({} if part.reports is None else _describe_reports(part.reports))


def _describe_reports(reports: "ReportStatistics") -> dict[str, str]:
    sentences, tokens = reports.sentences_a_report, reports.tokens_a_sentence
    return {
        "sentences": f"{reports.num_sentences:,}",
        "  a report": f"mean {sentences.mean:.1f}, median {sentences.median:g}, at most {sentences.max}",
        "tokens": f"{reports.num_tokens:,}",
        "  a sentence": f"mean {tokens.mean:.1f}, median {tokens.median:g}, at most {tokens.max}",
        "distinct words": f"{reports.vocabulary_size:,}",
        "repeated sentences": f"{100 * reports.repeated_share:.0f} %",
    }
