"""LaTeX tables: the paper's numbers, marks and layout, escaping, and that pdflatex takes them."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lovt_core.results.published as published_module
from lovt_core.results.cells import CellCollection, collect_cells
from lovt_core.results.comparison import ComparisonOptions, Missing, compare
from lovt_core.results.latex import to_latex
from lovt_core.results.latex_text import escape_latex
from lovt_core.results.paper_tables import split_as_in_paper
from lovt_core.results.published import load_published
from lovt_core.tasks import TASKS
from tests.core.results.comparison_factories import HOSTILE, NOT_RUN, column, comparison, row, score
from tests.core.results.factories import encoder, stored_cell

needs_pdflatex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed (Debian: texlive-latex-recommended)"
)
ENTRY = re.compile(r"(\\textbf|\\underline)?\{?(\d+\.\d)(?:\$\\pm\$(\d+\.\d))?\}?")
COMMANDS = {"": None, "\\textbf": 1, "\\underline": 2}


def published(**options):
    return compare(CellCollection((), ()), load_published(), options=ComparisonOptions(**options))


def compile_latex(text: str, folder: Path, is_long: bool = False) -> int:
    """Number of pages; nothing may be wider than one, nor longer if not said."""
    (folder / "table.tex").write_text(text, encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "table.tex"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert is_long or "too large" not in done.stdout
    return int(re.search(r"(\d+) pages?, \d+ bytes", done.stdout.replace("\n", " "))[1])


def read_tables(text: str) -> dict[tuple[str, str, int], tuple[str, str | None, int | None]]:
    """(group, label, place among all columns) -> mean, half width, rank, read back from the source."""
    found, start = {}, 0
    for table in text.split(r"\begin{tabular}{l")[1:]:
        number, group = int(re.match(r"\*\{(\d+)\}", table)[1]), ""
        for line in table.partition(r"\bottomrule")[0].splitlines():
            if heading := re.search(r"\\emph\{(.*?)\}\} \\\\$", line):
                group = heading[1].replace("\\%", "%")
            elif line.endswith(r" \\") and "multicolumn" not in line:
                label, *cells = line.removesuffix(r" \\").split(" & ")
                assert len(cells) == number
                for place, cell in enumerate(cells):
                    if entry := ENTRY.match(cell):
                        found[group, label, start + place] = (entry[2], entry[3], COMMANDS[entry[1] or ""])
        start += number
    return found


class TestPaper:
    def test_every_published_number_with_its_mark(self):
        """Read back from the source and compared with the file, 288 times."""
        found = read_tables(to_latex(published(interval="published")))
        path = Path(published_module.__file__).with_name("published.csv")
        with path.open() as file:
            lines = list(csv.DictReader(line for line in file if not line.startswith("#")))
        assert len(found) == len(lines) == 288
        for line in lines:
            group = {"none": "general initialisation"}.get(line["pretraining"], f"{line['pretraining']} % of MIMIC-CXR")
            mean, half_width, rank = found[group, line["method"], int(line["task"]) - 1]
            assert (mean, half_width) == (line["mean"], line["ci95"])
            others = {float(other["mean"]) for other in lines if other["task"] == line["task"]}
            assert rank == {each: place for place, each in enumerate(sorted(others)[:-3:-1], 1)}.get(
                float(line["mean"])
            )

    def test_lovt_is_best_on_ten_tasks_as_the_paper_says(self):
        found = read_tables(to_latex(published(interval="published")))
        assert len({place for (_, label, place), entry in found.items() if label == "LoVT" and entry[2] == 1}) == 10

    def test_layout_of_the_two_tables(self):
        rsna, others = split_as_in_paper(published())
        assert [(heading.text, heading.span) for heading in rsna.headings[0]] == [
            ("YOLOv3, fine-tuned", 3),
            ("YOLOv3, frozen", 3),
            ("linear, frozen", 3),
        ]
        assert [heading.text for heading in rsna.headings[1]] == 3 * ["1 %", "10 %", "100 %"]
        assert [(heading.text, heading.span) for heading in others.headings[0]] == [
            ("COVID Rural", 3),
            ("SIIM-ACR pneumothorax", 2),
            ("Object-CXR", 3),
            ("NIH CXR", 1),
        ]
        assert [heading.text for heading in others.headings[2]] == ["Dice (%)"] * 2 + [
            "fROC (%)",
            "Dice (%)",
            "average Dice (%)",
        ]
        text = to_latex(published())
        assert r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}\cmidrule(lr){8-10}" in text
        assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
        assert re.findall(r"\\emph\{(.*?)\}", text) == 2 * [
            "general initialisation",
            r"30 \% of MIMIC-CXR",
            r"100 \% of MIMIC-CXR",
        ]

    def test_students_t_widens_what_has_runs_and_is_named(self):
        wide = read_tables(to_latex(published()))
        narrow = read_tables(to_latex(published(interval="published")))
        assert all(float(wide[key][1]) >= float(narrow[key][1]) for key in narrow)
        assert "(Student's t)" in to_latex(published())
        assert "1.96 standard errors" in to_latex(published(interval="published"))

    @pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
    def test_every_task_has_headings(self, task):
        (table,) = split_as_in_paper(comparison((column(task.id),), row("a", score())))
        assert table.name == ("rsna" if task.data == "rsna" else "others")
        assert all(level[0].text for level in table.headings)


class TestTable:
    def test_states_marks_and_notes(self):
        columns = (column(), column(marks=("quick", "5 epochs", "other data")))
        table = comparison(
            columns,
            row("a", score(notes=("seen before",)), Missing("failed", "r1")),
            row("b", NOT_RUN, score(ci95=None)),
            row("c", NOT_RUN, NOT_RUN),
            unreadable=("r_9",),
            summary=("one & all",),
        )
        text = to_latex(table)
        assert r"a & 50.0$\pm$2.0\textsuperscript{a} & \emph{failed} \\" in text
        assert r"b & -- & 50.0 \\" in text
        assert "c &" not in text
        assert r"\shortstack{quick\\5 epochs\\other data}" in text
        assert r"\textsuperscript{a} seen before\par" in text
        assert r"one \& all\par" in text
        assert r"run r\_9 holds results" in text

    def test_own_rows_beside_the_papers_which_are_marked(self):
        cells = collect_cells([stored_cell("1", encoder=encoder("mine", pretrained_on=["openi"]), mean=0.9)])
        text = to_latex(compare(cells, load_published()))
        assert r"mine & \textbf{90.0$\pm$2.0} \\" in text
        assert r"LoVT\textsuperscript{\dag} & " in text
        assert r"\emph{pre-trained on openi}" in text
        assert r"\dag{} published by the authors" in text
        assert r"\textsuperscript{\dag}" not in to_latex(published())

    def test_differences_and_the_number_of_tests_of_the_whole_comparison(self):
        text = to_latex(published(pin="ImageNet"), with_significance=True)
        assert re.search(r"\{\\scriptsize \$-\d+\.\d\$\{\*\}\}", text)
        assert text.count("correction for 197 tests") == 2

    def test_nothing_gives_no_table(self):
        assert r"\begin{table}" not in to_latex(comparison(()))

    def test_unknown_tasks_stand_under_a_heading_of_their_own(self):
        (table,) = split_as_in_paper(comparison((column("later-task", metric="later"),), row("a", score())))
        assert (table.headings[0][0].text, table.headings[1][0].text) == ("other tasks", "later-task")


class TestEscaping:
    @given(st.text())
    def test_any_text_is_printable_ascii_on_a_line_without_a_bare_special_sign(self, text):
        escaped = escape_latex(text)
        assert escaped.isascii()
        assert escaped.isprintable()
        assert not re.search(r"(?<!\\)[#%&_]", escaped)
        assert not re.search(r"--", escaped)
        assert escaped.count("{") - escaped.count(r"\{") == escaped.count("}") - escaped.count(r"\}")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("50 % & co_1", r"50 \% \& co\_1"),
            ("a---b", "a-{}-{}-b"),
            ("ü é ő", r"\"{u} \'{e} \H{o}"),
            ("e\u0301", r"\'{e}"),
            ("τ≤1", r"$\tau$$\le$1"),
            ("😀", "{[}U+1F600{]}"),
            ("a\n\tb", "a b"),
            ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ],
    )
    def test_examples(self, text, expected):
        assert escape_latex(text) == expected


@needs_pdflatex
class TestCompiles:
    def test_the_papers_tables_on_a_page_each(self, tmp_path):
        assert compile_latex(to_latex(published(pin="ImageNet"), True, standalone=True), tmp_path) == 2

    def test_hostile_labels_marks_groups_and_notes(self, tmp_path):
        columns = (column(), column(marks=HOSTILE[:7]), column("rsna-linear-1", marks=HOSTILE[7:]))
        rows = [
            row(label, score(notes=(label,), difference=0.1, rank=1), Missing("queued"), score(rank=2), group=label)
            for label in HOSTILE
        ]
        table = comparison(columns, *rows, pin="[pin", summary=HOSTILE, unreadable=("[r",))
        assert compile_latex(to_latex(table, True, standalone=True), tmp_path, is_long=True) >= 2

    def test_inside_a_document_of_ones_own(self, tmp_path):
        document = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}%s\end{document}"
        assert compile_latex(document % to_latex(published()), tmp_path) == 2
