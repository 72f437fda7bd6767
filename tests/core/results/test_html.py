"""The HTML page: whole, self-contained, escaped; states, ranks, notes, tooltips and plots."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from lovt_core.results.cells import CellCollection, collect_cells
from lovt_core.results.comparison import ComparisonOptions, Missing, compare
from lovt_core.results.dot_plot import LABEL_WIDTH, WIDTH, build_dot_plots
from lovt_core.results.html import to_html
from lovt_core.results.published import load_published
from tests.core.results.comparison_factories import HOSTILE, NOT_RUN, column, comparison, row, score
from tests.core.results.factories import encoder, stored_cell

VOID = {"meta", "br", "link", "img", "input"}


@dataclass
class Page(HTMLParser):
    """Elements with attributes and text of a page whose tags must nest."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """(innermost tag, text)"""
    open: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def attributes(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def paper() -> str:
    options = ComparisonOptions(pin="ImageNet")
    return to_html(compare(CellCollection((), ()), load_published(), options=options), with_significance=True)


class TestSelfContained:
    def test_asks_for_nothing_and_runs_nothing(self, paper):
        page = read(paper)
        names = {name for name, _ in page.elements}
        assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"}
        for _, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "xlink:href")]
            assert attributes.get("href", "#").startswith("#")
        assert "url(" not in paper
        assert "@import" not in paper
        assert "http" not in paper.replace("http-equiv", "")

    def test_light_dark_and_paper(self, paper):
        assert "prefers-color-scheme: dark" in paper
        assert "@media print" in paper
        assert {
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'",
        } in (read(paper).attributes("meta"))

    def test_footnote_links_lead_somewhere(self, paper):
        page = read(paper)
        targets = {attributes.get("id") for _, attributes in page.elements}
        links = {attributes["href"] for attributes in page.attributes("a")}
        assert links
        assert {link.removeprefix("#") for link in links} <= targets

    def test_same_text_each_time(self, paper):
        options = ComparisonOptions(pin="ImageNet")
        assert to_html(compare(CellCollection((), ()), load_published(), options=options), True) == paper


class TestEscaping:
    @pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
    def test_labels_groups_marks_notes_and_summaries(self, label):
        columns = (column(marks=(label,)), column("rsna-linear-1"))
        table = comparison(
            columns,
            row(label, score(notes=(label,)), Missing("failed", label), group=label),
            pin=label,
            summary=(label,),
            unreadable=(label,),
        )
        page = read(to_html(table))
        assert {name for name, _ in page.elements} & {"script", "x"} == set()
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
        shown = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in label)
        assert shown in [attributes["title"] for attributes in page.attributes("th") if "title" in attributes]
        assert all(text.replace("\n", "").isprintable() for _, text in page.texts)

    def test_a_script_is_text(self):
        page = read(to_html(comparison((column(),), row("<script>alert(1)</script>", score()))))
        assert "<script>alert(1)</script>" in [text for tag, text in page.texts if tag == "th"]


class TestTable:
    def test_ranks_are_words_too(self):
        columns = (column(),)
        table = comparison(columns, row("a", score(0.5, rank=1)), row("b", score(0.4, rank=2)), row("c", score(0.3)))
        page = read(to_html(table))
        ranks = [attributes["class"] for attributes in page.attributes("span") if "class" in attributes]
        assert [name for name in ranks if name.startswith("rank")] == ["rank1", "rank2"]
        assert [text for _, text in page.texts if "best)" in text] == [" (best)", " (second best)"]

    def test_states(self):
        columns = tuple(column(f"rsna-linear-{percent}") for percent in (1, 10, 100))
        states = (Missing("queued", "r1"), Missing("running", "r2"), Missing("failed", "r3"))
        page = read(to_html(comparison(columns, row("a", *states), row("b", score(), NOT_RUN, NOT_RUN))))
        spans = [text for tag, text in page.texts if tag == "span"]
        assert [text for text in spans if text != "–"] == [
            *("queued", "running", "failed", "50.0 ± 2.0", "not run", "not run")
        ]
        assert "a\nfailed: r3" in [attributes.get("title") for attributes in page.attributes("td")]

    def test_tooltips_say_where_a_score_comes_from(self):
        cells = collect_cells([stored_cell("run-7", encoder=encoder("mine"))])
        (cell,) = read(to_html(compare(cells))).attributes("td")
        for expected in ("mine", "n = 5", "30.00, 32.00, 31.00, 33.00, 34.00", "run run-7", "protocol full p0"):
            assert expected in cell["title"]

    def test_differences_and_significance(self, paper):
        differences = [
            text for tag, text in read(paper).texts if tag == "span" and re.fullmatch(r"[+-]\d+\.\d\*?", text)
        ]
        assert len(differences) == 288 - 18
        assert any(text.endswith("*") for text in differences)
        assert "correction for 197 tests" in paper

    def test_nothing_evaluated(self):
        assert "No evaluations." in [text for _, text in read(to_html(comparison(()))).texts]


class TestPlots:
    def test_one_for_each_column_inside_its_frame(self, paper):
        pictures = re.findall(r"<svg.*?</svg>", paper, re.DOTALL)
        assert len(pictures) == 18
        for picture in pictures:
            tree = ET.fromstring(picture)
            _, _, width, height = map(float, tree.get("viewBox").split())
            circles = list(tree.iter("circle"))
            assert len(list(tree.iter("g"))) == 16
            assert all(LABEL_WIDTH <= float(circle.get("cx")) <= width for circle in circles)
            assert all(0 <= float(circle.get("cy")) <= height for circle in circles)
            for line in tree.iter("line"):
                assert float(line.get("x1")) <= float(line.get("x2"))

    def test_places_are_proportional_to_scores(self):
        rows = [row(label, score(mean, ci95=0.05, values=())) for label, mean in (("a", 0.2), ("b", 0.4), ("c", 0.5))]
        (plot,) = build_dot_plots(comparison((column(),), *rows))
        a, b, c = (dot.x for dot in plot.dots)
        assert (b - a) / (c - b) == pytest.approx(2, abs=0.01)
        assert [dot.right - dot.x for dot in plot.dots] == pytest.approx([(c - b) / 2] * 3, abs=0.11)
        ticks = {float(label): x for x, label in plot.ticks}
        assert ticks[20.0] == a
        assert ticks[40.0] == b

    @pytest.mark.parametrize("mean", [0.0, 0.000001, 0.5, 1.0, 1e6, -0.3])
    def test_a_single_score_without_an_interval(self, mean):
        (plot,) = build_dot_plots(comparison((column(),), row("a", score(mean, ci95=None, values=(mean,)))))
        (dot,) = plot.dots
        assert LABEL_WIDTH <= dot.left == dot.x == dot.right <= WIDTH
        assert len(plot.ticks) >= 2

    def test_what_is_not_finite_is_left_out(self):
        rows = (row("a", score(math.nan)), row("b", score(0.5, ci95=math.nan, values=(math.inf, 0.5))))
        (plot,) = build_dot_plots(comparison((column(),), *rows))
        assert [(dot.label, len(dot.replicates)) for dot in plot.dots] == [("b", 1)]
        assert build_dot_plots(comparison((column(),), row("a", NOT_RUN))) == ()
        read(to_html(comparison((column(),), *rows)))
