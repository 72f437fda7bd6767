"""Imported scores: both forms of files, what is wrong with a line, and where they stand in the comparison."""

import csv
import io
from pathlib import Path

import pytest

from lovt_core.errors import DataError, InputError
from lovt_core.results.cells import collect_cells
from lovt_core.results.comparison import ComparisonOptions, Score, compare
from lovt_core.results.export import to_csv, to_markdown
from lovt_core.results.html import to_html
from lovt_core.results.imported import keep_result_file, load_imported, read_result_file
from lovt_core.results.latex import to_latex
from lovt_core.results.published import load_published
from lovt_core.tasks import expand_tasks
from tests.core.results.factories import encoder, stored_cell

AUTHORS = "method,pretrain_data,task_id,metric,reported,run_1,run_2,run_3\n"
PLAIN = "label,task,replicate,score,data\n"
THEIRS = (
    PLAIN
    + "theirs,covid-linear,1,0.30,\ntheirs,covid-linear,2,0.40,\n"
    + "theirs,12,1,0.5,published\ntheirs,12,2,0.6,published\n"
    + "theirs,nih-linear,1,0.1,openi\n"
)


def write(folder, text, name="scores.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_plain_form(tmp_path):
    found = read_result_file(write(tmp_path, THEIRS))
    assert [(score.label, score.task.id, score.values, score.data, score.is_published) for score in found.scores] == [
        ("theirs", "covid-linear", (0.3, 0.4), "", False),
        ("theirs", "covid-linear", (0.5, 0.6), "published", True),
        ("theirs", "nih-linear", (0.1,), "openi", False),
    ]
    assert found.labels == ("theirs",)


def test_the_form_of_the_authors(tmp_path):
    text = AUTHORS + (
        "LoVT,100,5,mAP,yes,0.1,0.2,0.3\n"
        "LoVT,100,5,mAP@0.5,secondary,0.4,0.5,0.6\n"
        "ImageNet,none,7,opacity_dice,yes,0.5,,\n"
        "no_local,30,5,mAP,ablation,0.1,0.1,0.2\n"
    )
    found = read_result_file(write(tmp_path, text))
    assert [(score.label, score.group, score.values, score.is_published) for score in found.scores] == [
        ("LoVT (100 %)", "100 % of MIMIC-CXR", (0.1, 0.2, 0.3), True),
        ("ImageNet", "general initialisation", (0.5,), True),
        ("no_local (30 %), ablation", "30 % of MIMIC-CXR", (0.1, 0.1, 0.2), False),
    ]
    assert found.left_out == ("left out, as they are not in the task's own metric: mAP@0.5 (1)",)


def test_the_authors_own_file_gives_the_published_runs(vectors_folder):
    path = vectors_folder.parent / "published_runs.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    found = {
        (score.label, score.task.number): score.values for score in read_result_file(path).scores if score.is_published
    }
    known = {(score.label, score.task_number): score.values for score in load_published() if score.values}
    assert found == known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "row 1: no column label, task, replicate, score; found: a, b"),
        ("method,task_id\nx,1\n", "row 1: no column pretrain data, metric, reported, run 1"),
        (PLAIN, "the table has a header but no rows"),
        (PLAIN + "x,covid-linear,1,0.3\n", "row 2: 4 fields instead of 5"),
        (PLAIN + "x,covid-lines,1,0.3,\n", "row 2: unknown task 'covid-lines'"),
        (PLAIN + "x,19,1,0.3,\n", "row 2: unknown task '19'"),
        (PLAIN + "x,1,1,30.5,\n", "row 2: score is '30.5', which is no fraction from 0 to 1: is it per cent?"),
        (PLAIN + "x,1,1,nan,\n", "row 2: score is 'nan'"),
        (PLAIN + "x,1,,0.3,\n", "row 2: replicate is empty"),
        (PLAIN + "x,1,1,0.3,\nx,1,1,0.4,\n", "row 3: a second score of x on rsna-yolo-finetuned-1 for replicate 1"),
        (PLAIN + ",1,1,0.3,\n", "row 2: '' is no label"),
        (PLAIN + "a\x1b[31m,1,1,0.3,\n", "is no label"),
        (AUTHORS + "x,50%,1,mAP,yes,0.1,0.1,0.1\n", "row 2: pretrain_data is '50%'"),
        (AUTHORS + "x,30,1,mAP,yes,,,\n", "row 2: no score: run_1 is empty"),
        (AUTHORS + "x,30,1,froc,yes,0.1,0.1,0.1\n", "no line has a score in a task's own metric"),
        (AUTHORS + 2 * "x,30,1,mAP,yes,0.1,0.1,0.1\n", "row 3: a second line for x (30 %) on task 1"),
    ],
)
def test_errors_name_file_and_row(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_result_file(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_file_is_kept_whole_and_once(tmp_path):
    source = write(tmp_path, THEIRS)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    kept = keep_result_file(workspace, source)
    assert kept.path == workspace / "results" / "scores.csv"
    assert kept.path.read_bytes() == source.read_bytes()
    assert load_imported(workspace) == kept.scores
    with pytest.raises(InputError, match="was imported before, as"):
        keep_result_file(workspace, write(tmp_path, THEIRS, "other name.csv"))
    write(tmp_path, THEIRS + "more,1,1,0.5,\n")
    with pytest.raises(InputError, match="holds other scores under that name: give --again"):
        keep_result_file(workspace, source)
    assert keep_result_file(workspace, source, replace=True).labels == ("theirs", "more")
    bad = write(tmp_path, PLAIN + "x,1,1,2,\n", "bad.csv")
    with pytest.raises(DataError, match=r"bad\.csv: row 2"):
        keep_result_file(workspace, bad)
    assert [path.name for path in kept.path.parent.iterdir()] == ["scores.csv"]
    assert load_imported(tmp_path / "nowhere") == ()


def build(tmp_path, *files, cells=(), published=(), **options):
    scores = tuple(score for path in files for score in read_result_file(path).scores)
    return compare(collect_cells(cells), published, (), ComparisonOptions(**options), scores)


def find_scores(comparison, label):
    row = next(row for row in comparison.rows if row.label == label)
    return {
        column.marks: entry
        for column, entry in zip(comparison.columns, row.scores, strict=True)
        if isinstance(entry, Score)
    }


def test_scores_of_an_unknown_split_stand_in_marked_columns_of_their_own(tmp_path):
    first = write(tmp_path, THEIRS)
    second = write(tmp_path, PLAIN + "theirs,covid-linear,1,0.9,\n", "more.csv")
    own = stored_cell("1", encoder=encoder("mine"))
    comparison = build(tmp_path, first, second, cells=[own])
    marks = ("imported from scores.csv", "unknown split")
    found = find_scores(comparison, "theirs, imported from scores.csv")
    assert set(found) == {
        marks,
        ("published split",),
        ("imported from scores.csv", "data as it says: openi", "unknown split"),
    }
    assert found[marks].mean == pytest.approx(0.35)
    assert found["published split",].mean == pytest.approx(0.55)
    assert set(find_scores(comparison, "theirs, imported from more.csv")) == {
        ("imported from more.csv", "unknown split")
    }
    assert set(find_scores(comparison, "mine")) == {("published split",)}
    assert all("neither the images nor the protocol were checked" in score.notes[0] for score in found.values())


def test_published_ones_share_the_papers_column(tmp_path):
    source = write(tmp_path, THEIRS)
    comparison = build(tmp_path, source, published=load_published(), tasks=expand_tasks(["covid-linear"]))
    (column,) = [column for column in comparison.columns if column.is_published]
    place = comparison.columns.index(column)
    labels = {row.label for row in comparison.rows if isinstance(row.scores[place], Score)}
    assert {"theirs, imported", "LoVT (100 %), published"} <= labels
    assert {column.task for column in comparison.columns} == {"covid-linear"}
    alone = build(tmp_path, source)
    assert [column.is_published for column in alone.columns] == [True, False, False]


def test_differences_to_an_imported_row_are_tested(tmp_path):
    own = stored_cell("1", encoder=encoder("mine"))
    comparison = build(tmp_path, write(tmp_path, THEIRS), cells=[own], pin="theirs")
    score = find_scores(comparison, "mine")["published split",]
    assert score.difference == pytest.approx(0.32 - 0.55)
    assert score.p_value is not None


@pytest.mark.parametrize("form", [to_csv, to_markdown, to_latex, to_html])
def test_every_export_says_that_they_are_imported(tmp_path, form):
    text = form(build(tmp_path, write(tmp_path, THEIRS)))
    assert "theirs, imported" in text
    assert "unknown split" in text
    assert "scores.csv" in text.replace("\\", "")


def test_the_csv_has_their_replicates(tmp_path):
    lines = list(csv.DictReader(io.StringIO(to_csv(build(tmp_path, write(tmp_path, THEIRS))))))
    assert [(line["encoder"], line["values"], line["run"]) for line in lines][:2] == [
        ("theirs, imported", "0.5 0.6", ""),
        ("theirs, imported", "0.3 0.4", ""),
    ]
    assert Path(tmp_path, "scores.csv").exists()
