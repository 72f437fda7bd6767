"""What the comparison looks like as JSON, CSV, Markdown and in a terminal."""

import csv
import io
import json
import re
import sqlite3

import pytest
from rich.console import Console

from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import ComparisonOptions, compare
from lovt_core.results.export import to_csv, to_json, to_markdown
from lovt_core.results.footnotes import footnote_letter, format_difference, format_score
from lovt_core.results.published import load_published
from lovt_core.results.rich_table import render_comparison, split_columns
from lovt_core.results.sqlite_export import to_sqlite
from tests.core.results.factories import encoder, stored_cell

OVERLAP = {"data": ["covid-chestxray"], "num_images": 5, "num_test_images": 11}


@pytest.fixture
def comparison():
    results = [
        stored_cell("1", duplicates=[[0, 1]]),
        stored_cell("2", encoder=encoder("imagenet"), mean=0.761, ci95=0.004),
        stored_cell("3", encoder=encoder("my | run"), mean=0.5, ci95=None, overlap=OVERLAP, duplicates=[[0, 1]]),
        stored_cell("4", encoder=encoder("imagenet"), protocol={"name": "quick", "fingerprint": "q", "marks": ["n"]}),
    ]
    return compare(collect_cells(results))


def test_markdown(comparison):
    same = "4 different scores among 5 replicates, the others equal to the bit: the interval is no precision"
    seen = "5 of 11 test images are also in the pre-training data (covid-chestxray)"
    assert to_markdown(comparison).splitlines() == [
        "| encoder | covid-linear<br>Dice (%)<br>published split | "
        "covid-linear<br>Dice (%)<br>quick<br>n<br>published split |",
        "| --- | ---: | ---: |",
        "| *general initialisation* |  |  |",
        "| random | 32.0 ± 2.0 <sup>a</sup> | – |",
        "| imagenet | **76.1 ± 0.4** | **32.0 ± 2.0** |",
        "| *other weights* |  |  |",
        "| my \\| run | <u>50.0</u> <sup>b,a</sup> | – |",
        "",
        f"<sup>a</sup> {same}",
        "",
        f"<sup>b</sup> {seen}",
        "",
        "± half width of the 95 % interval of the mean (Student's t)",
    ]


def test_markdown_of_a_pin_shows_differences_and_marks():
    results = [stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), values=[0.7, 0.71, 0.72], mean=0.71)]
    comparison = compare(collect_cells(results), options=ComparisonOptions(pin="random"))
    plain, marked = to_markdown(comparison), to_markdown(comparison, with_significance=True)
    assert "| **71.0 ± 2.0**<br>+39.0 |" in plain
    assert "Welch" not in plain
    assert "| **71.0 ± 2.0**<br>+39.0\\* |" in marked
    assert "\\* differs from random: Welch's t, two-sided, p &lt; 0.05 after Holm's correction for 1 tests" in marked
    assert "exploratory at n = 5" in marked


def test_sqlite_has_the_same_scores_and_a_row_for_each_replicate(comparison):
    connection = sqlite3.connect(":memory:")
    connection.deserialize(to_sqlite(comparison))
    rows = connection.execute("select encoder, mean, ci95, state from scores order by id").fetchall()
    assert [row[0] for row in rows] == ["random", "imagenet", "imagenet", "my | run"]
    assert (rows[1][1], rows[3][2], rows[0][3]) == (0.761, None, "scored")
    query = "select value from replicates join scores on score = scores.id where scores.id = 1 order by replicate"
    assert [value for (value,) in connection.execute(query)] == [0.3, 0.32, 0.31, 0.33, 0.34]
    connection.close()


def test_csv_has_a_line_for_each_score(comparison):
    lines = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [line["encoder"] for line in lines] == ["random", "imagenet", "imagenet", "my | run"]
    assert float(lines[1]["mean"]) == 0.761
    assert [float(value) for value in lines[0]["values"].split()] == [0.3, 0.32, 0.31, 0.33, 0.34]
    assert lines[3]["ci95"] == ""
    assert "5 of 11" in lines[3]["notes"]
    assert lines[2]["marks"].startswith("quick; n")
    assert [line["rank"] for line in lines] == ["", "1", "1", "2"]
    assert {line["state"] for line in lines} == {"scored"}
    assert lines[0]["run"] == "1"
    assert {line["data_fingerprint"] for line in lines} == {"d0"}


def test_json_is_complete(comparison):
    content = json.loads(json.dumps(to_json(comparison)))
    assert content["columns"][0]["marks"] == ["published split"]
    first = content["rows"][0]["scores"][0]
    assert first["cell"]["values"] == [0.3, 0.32, 0.31, 0.33, 0.34]
    assert first["cell"]["run_id"] == "1"
    assert content["rows"][0]["scores"][1] == {"state": "not run", "run": None}
    assert [row["scores"][0]["rank"] for row in content["rows"]] == [None, 1, 2]
    assert content["rows"][1]["scores"][0]["best"] is True
    assert (content["rows"][2]["group"], content["interval"], content["pin"]) == ("other weights", "student", None)


def test_published_rows_are_exported_too():
    comparison = compare(collect_cells([]), load_published())
    assert to_csv(comparison).count("published split") == 16 * 18
    assert all(row["published"] for row in to_json(comparison)["rows"])
    assert "LoVT (100 %), published" in to_markdown(comparison)


def printed(comparison, width, **options):
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    console.print(render_comparison(comparison, **options))
    return console


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_terminal_tables_fit_and_say_everything(comparison, width):
    text = printed(comparison, width).export_text()
    assert max(map(len, text.splitlines())) <= width
    for expected in ("76.1 ± 0.4", "quick", "my | run", "–", "5 of 11 test images", "general initialisation"):
        assert expected in text


@pytest.mark.parametrize("width", [80, 120, 200])
def test_all_published_scores_are_in_tables_that_fit(width):
    comparison = compare(collect_cells([]), load_published())
    lines = printed(comparison, width).export_text().splitlines()
    assert max(map(len, lines)) <= width
    lovt = [line for line in lines if line.startswith("LoVT (100 %) †")]
    assert [score.strip() for line in lovt for score in re.findall(r"[0-9.]+ ± [0-9.]+", line)] == [
        format_score(score) for score in comparison.rows[-1].scores
    ]
    assert len(lovt) == {80: 7, 120: 3, 200: 2}[width]


def test_second_best_is_underlined_and_best_bold(comparison):
    text = printed(comparison, 100).export_text(styles=True)
    assert re.search(r"\x1b\[1m *76.1 ± 0.4", text)
    assert re.search(r"\x1b\[4m *50.0", text)


def test_terminal_marks_significance_on_request():
    results = [stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), values=[0.7, 0.71, 0.72], mean=0.71)]
    comparison = compare(collect_cells(results), options=ComparisonOptions(pin="random"))
    assert "+39.0*" in printed(comparison, 80, with_significance=True).export_text()
    assert "+39.0*" not in printed(comparison, 80).export_text()


def test_columns_are_split_between_data_sets():
    columns = compare(collect_cells([]), load_published()).columns
    assert split_columns(columns, [10] * 18, 90) == [[*range(9)], [*range(9, 18)]]
    assert split_columns(columns, [10] * 18, 50) == [
        [0, 1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12, 13], [14, 15, 16, 17]
    ]  # fmt: skip
    assert split_columns(columns[:2], [100, 10], 50) == [[0], [1]]


def test_markup_in_labels_is_not_interpreted():
    comparison = compare(collect_cells([stored_cell("1", encoder=encoder("[red]x[/red]<b>"))]))
    assert "[red]x[/red]<b>" in printed(comparison, 100).export_text()
    assert "&lt;b>" in to_markdown(comparison)


def test_a_difference_that_rounds_to_nothing_has_no_minus():
    results = [stored_cell("1"), stored_cell("2", encoder=encoder("imagenet"), mean=0.3199999)]
    comparison = compare(collect_cells(results), options=ComparisonOptions(pin="random"))
    assert format_difference(comparison.rows[1].scores[0]) == "+0.0"


def test_letters_go_on_after_z():
    assert [footnote_letter(position) for position in (0, 25, 26, 51, 52)] == ["a", "z", "aa", "az", "ba"]
