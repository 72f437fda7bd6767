"""Data sets as the screen shows them: what is read when, how it is told, and preparing in a process of its own."""

import json
import shutil

import pytest

from lovt_core.data.catalog import DATA_SETS
from lovt_core.data.inventory import list_versions
from lovt_core.data.prepared_meta import FORMAT
from lovt_core.errors import DataError
from lovt_tui.actions.data import check_versions, compare_with_others
from lovt_tui.datasets.counting import count_parts, measure_parts
from lovt_tui.datasets.describing import (
    describe_checks,
    describe_overlap,
    describe_set,
    describe_statistics,
    format_set_state,
    format_use,
    table_lines,
)
from lovt_tui.datasets.texts import statistics_rows
from lovt_tui.pages.data import DataReader, SetRow
from tests.core.data.factories import prepare_quietly, write_chestxray, write_rural
from tests.tui.datasets.data_rows import WISH, row_of, text_of


def test_an_empty_workspace_has_all_sets_and_nothing_prepared(workspace):
    page = DataReader(workspace).read(WISH)
    assert [row.name for row in page.rows] == [data_set.name for data_set in DATA_SETS]
    assert page.problem == ""
    assert {format_set_state(row).text for row in page.rows} == {"○ not prepared"}
    text = text_of(describe_set(page.rows[0], None, 80))
    assert "press n, with the folder of the download" in text
    assert "credentialed yes" in text
    for row in page.rows:
        about = text_of(describe_set(row, None, 200))
        for expected in (row.data_set.title, row.data_set.licence, row.data_set.url, *row.data_set.documented_layout):
            assert " ".join(expected.split()) in " ".join(about.split())


def test_tasks_stand_beside_the_sets_that_they_need(workspace):
    uses = {row.name: format_use(row) for row in DataReader(workspace).read(WISH).rows}
    assert uses["rsna"] == "tasks 1-9"
    assert uses["covid-rural"] == "tasks 10-12"
    assert uses["nih-cxr"] == "task 18"
    assert uses["openi"] == "pre-training"
    scattered = SetRow(row_of(workspace, "rsna").data_set, (1, 3), workspace.path)
    assert format_use(scattered) == "tasks 1,3"


def test_the_very_same_page_while_nothing_changes(workspace, rural, tmp_path):
    reader = DataReader(workspace)
    page = reader.read(WISH)
    assert reader.read(WISH) is page
    prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "pairs"), workspace.prepared_root)
    later = reader.read(WISH)
    assert later is not page
    assert later.find("covid-rural") is page.find("covid-rural")
    assert later.find("covid-chestxray").readable
    shutil.rmtree(workspace.prepared_root / "covid-chestxray")
    assert not reader.read(WISH).find("covid-chestxray").versions


def test_a_prepared_set_in_full(workspace, rural):
    row = row_of(workspace)
    assert format_set_state(row).text == "✔ prepared"
    assert row.num_bytes[0] == sum(file.stat().st_size for file in rural.path.iterdir())
    text = text_of(describe_set(row, count_parts(row.readable[0]), 100))
    for expected in (
        rural.fingerprint,
        "6 samples",
        "not genuine",
        "flow",
        "patients  with a finding",
        "split by patient",
    ):
        assert expected in text
    assert all(len("".join(cell.text for cell in line).rstrip()) <= 100 for line in describe_set(row, None, 100))


def test_several_versions_say_which_is_current(workspace, rural, tmp_path):
    root = workspace.prepared_root
    prepare_quietly("covid-rural", write_rural(tmp_path / "more", count=8), root)
    prepare_quietly("covid-rural", tmp_path / "more", root, size=224)
    row = row_of(workspace)
    assert [version.meta.size for version in row.readable] == [224, 32]
    assert f"also there   {rural.path.name}, kept, not current" in text_of(describe_set(row, None, 100))


def test_damaged_and_newer_versions_are_named(workspace, rural):
    meta = rural.path / "meta.json"
    content = json.loads(meta.read_text())
    meta.write_text(json.dumps(content | {"format": FORMAT + 1}))
    row = row_of(workspace)
    assert format_set_state(row).text == "▲ newer format"
    assert f"{rural.path.name} has a newer format" in text_of(describe_set(row, None, 100))
    meta.write_text("{")
    row = row_of(workspace)
    assert format_set_state(row).text == "✘ damaged"
    assert not row.readable
    assert "is damaged" in text_of(describe_set(row, None, 100))


def test_folders_that_cannot_be_read_are_said(workspace):
    workspace.prepared_root.write_text("a file")
    page = DataReader(workspace).read(WISH)
    assert page.problem == f"cannot read the folder of prepared data {workspace.prepared_root}: Not a directory"
    workspace.prepared_root.unlink()
    workspace.prepared_root.mkdir()
    (workspace.prepared_root / "rsna").write_text("a file")
    row = row_of(workspace, "rsna")
    assert format_set_state(row).text == "✘ unreadable"
    assert "Not a directory" in row.problem
    (workspace.prepared_root / "openi").mkdir()
    (workspace.prepared_root / "openi" / "current.json").write_text("[")
    assert format_set_state(row_of(workspace, "openi")).text == "○ not prepared"


def test_counts_agree_with_the_statistics(workspace, rural):
    version = list_versions(workspace.prepared_root, "covid-rural")[0]
    counts = count_parts(version)
    parts = measure_parts(version)
    assert [(part.name, part.samples, part.images, part.patients, part.positives) for part in counts.parts] == [
        (part.name, part.samples, part.images, part.patients, part.positive) for part in parts
    ]
    text = text_of(describe_statistics(statistics_rows(parts), [part.name for part in parts]))
    assert "images with a finding" in text
    assert "training" in text.splitlines()[0]


def test_a_set_too_small_to_split_says_so(workspace, tmp_path):
    prepare_quietly("covid-rural", write_rural(tmp_path / "two", count=2), workspace.prepared_root)
    counts = count_parts(row_of(workspace).readable[0])
    assert counts.parts == ()
    assert "not split: 1 patients cannot be split into 3 parts" in counts.announcement


def test_check_finds_a_changed_byte(workspace, rural):
    row = row_of(workspace)
    assert "✔ every byte is as it was written" in text_of(describe_checks(check_versions(row)))
    with (rural.path / "images.bin").open("r+b") as file:
        file.write(b"\xff\x00\xff")
    text = text_of(describe_checks(check_versions(row)))
    assert "✘ damaged" in text
    assert "images.bin: the content has changed" in text


def test_overlap_with_a_set_of_the_same_films(workspace, tmp_path):
    root = workspace.prepared_root
    films = prepare_quietly("covid-rural", write_rural(tmp_path / "rural", count=8), root)
    prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "pairs"), root)
    found = compare_with_others(workspace, row_of(workspace))
    text = text_of(describe_overlap(found, 76))
    assert "In two parts of the split:" in text
    assert "Pairs of data sets that share no film: 1 of 1" in text
    shutil.rmtree(root / "covid-chestxray")
    assert "No other data set is prepared." in text_of(
        describe_overlap(compare_with_others(workspace, row_of(workspace)), 76)
    )
    (films.path / "hashes.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"hashes\.npy"):
        compare_with_others(workspace, row_of(workspace))


def test_tables_stand_in_columns():
    text = text_of(table_lines(("name", "count"), [("a", 12345), ("bcdef", 1)]))
    assert text.splitlines() == ["name    count", "a      12,345", "bcdef       1"]
