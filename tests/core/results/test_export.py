"""What the comparison looks like as JSON, CSV, Markdown and in a terminal."""

import csv
import io
import json

import pytest
from rich.console import Console

from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import compare
from lovt_core.results.export import to_csv, to_json, to_markdown
from lovt_core.results.footnotes import footnote_letter
from lovt_core.results.published import load_published
from lovt_core.results.rich_table import render_comparison
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
    same = "replicates 1, 2 have the same score to the bit: the interval is no precision"
    seen = "5 of 11 test images are also in the pre-training data (covid-chestxray)"
    assert to_markdown(comparison).splitlines() == [
        "| encoder | covid-linear<br>Dice (%)<br>published split | "
        "covid-linear<br>Dice (%)<br>quick<br>n<br>published split |",
        "| --- | ---: | ---: |",
        "| random | 32.0 ± 2.0 <sup>a</sup> | – |",
        "| imagenet | **76.1 ± 0.4** | **32.0 ± 2.0** |",
        "| my \\| run | 50.0 <sup>b,a</sup> | – |",
        "",
        f"<sup>a</sup> {same}",
        "",
        f"<sup>b</sup> {seen}",
    ]


def test_csv_has_a_line_for_each_score(comparison):
    lines = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [line["encoder"] for line in lines] == ["random", "imagenet", "imagenet", "my | run"]
    assert float(lines[1]["mean"]) == 0.761
    assert [float(value) for value in lines[0]["values"].split()] == [0.3, 0.32, 0.31, 0.33, 0.34]
    assert lines[3]["ci95"] == ""
    assert "5 of 11" in lines[3]["notes"]
    assert lines[2]["marks"].startswith("quick; n")
    assert lines[0]["run"] == "1"
    assert {line["data_fingerprint"] for line in lines} == {"d0"}


def test_json_is_complete(comparison):
    content = json.loads(json.dumps(to_json(comparison)))
    assert content["columns"][0]["marks"] == ["published split"]
    first = content["rows"][0]["scores"][0]
    assert first["cell"]["values"] == [0.3, 0.32, 0.31, 0.33, 0.34]
    assert first["cell"]["run_id"] == "1"
    assert content["rows"][0]["scores"][1] is None
    assert content["rows"][1]["scores"][0]["best"] is True


def test_published_rows_are_exported_too():
    comparison = compare(collect_cells([]), load_published())
    assert to_csv(comparison).count("published split") == 16
    assert all(row["published"] for row in to_json(comparison)["rows"])
    assert "LoVT (100 %), published" in to_markdown(comparison)


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_table_fits_and_says_everything(comparison, width):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(render_comparison(comparison))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    for expected in ("76.1 ± 0.4", "quick", "published split", "my | run", "–", "5 of 11 test images"):
        assert expected in text


def test_markup_in_labels_is_not_interpreted():
    comparison = compare(collect_cells([stored_cell("1", encoder=encoder("[red]x[/red]"))]))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(render_comparison(comparison))
    assert "[red]x[/red]" in console.export_text()


def test_letters_go_on_after_z():
    assert [footnote_letter(position) for position in (0, 25, 26, 51, 52)] == ["a", "z", "aa", "az", "ba"]
