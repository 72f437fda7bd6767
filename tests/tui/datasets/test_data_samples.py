"""Samples of prepared data to look at: their order, their marks, their words."""

import pytest

from lovt_core.errors import DataError
from lovt_tui.datasets.browsing import ALL, Place, SampleBook
from lovt_tui.datasets.sample_texts import describe_place, describe_sample
from lovt_tui.datasets.samples import draw_preview, draw_sample
from tests.core.data.factories import prepare_quietly, synthesize_quietly, write_chestxray
from tests.tui.datasets.data_rows import text_of


def test_browsing_goes_through_every_sample_of_a_part_and_round(rural):
    book = SampleBook(rural.path)
    assert book.parts[ALL] == 6
    assert sum(count for part, count in book.parts.items() if part != ALL) == 6
    seen = {book.view(Place(ALL, number)).id for number in range(6)}
    assert seen == {sample.id for sample in rural.samples}
    assert book.view(Place(ALL, 6)).id == book.view(Place(ALL, 0)).id == book.view(Place(ALL, -6)).id
    assert SampleBook(rural.path).view(Place(ALL, 3)).id == book.view(Place(ALL, 3)).id
    view = book.view(Place("training", 0))
    assert (view.part, view.count) == ("training", book.parts["training"])
    assert f"1 of {view.count}  {view.id}  lesion  training · covid-rural at 32 px" in text_of(
        [describe_place(book.name, view)]
    )


def test_finding_a_sample_by_id(rural):
    book = SampleBook(rural.path)
    wanted = rural.samples[4].id
    assert book.view(book.find(wanted)).id == wanted
    assert book.view(book.find(wanted[12:])).id.endswith(wanted[12:])
    with pytest.raises(DataError, match="has no sample 'nobody'; its first is"):
        book.find("nobody")


def test_finding_stays_in_the_part(rural):
    book = SampleBook(rural.path)
    training, other = (book.view(Place(part, 0)) for part in ("training", "test"))
    assert book.find(training.id, "training") == training.place
    common = "COVID-19-AR-1640000"
    assert [book.find(common, part).part for part in ("training", "test", ALL)] == ["training", "test", ALL]
    with pytest.raises(DataError, match=f"training has no sample '{other.id}': {other.id} is in test; choose test"):
        book.find(other.id, "training")
    with pytest.raises(DataError, match="covid-rural has no sample 'nobody'"):
        book.find("nobody", "training")


def test_a_split_that_does_not_fit_is_refused(rural):
    assert SampleBook(rural.path, "patient:3").split.spec == "patient:3"
    with pytest.raises(DataError, match="has none of the"):
        SampleBook(rural.path, "published")


def test_masks_and_boxes_are_marked_where_they_are(rural, workspace, tmp_path):
    drawing = draw_sample(rural, 0)
    (mask,) = rural.mask(0).astype(bool)
    assert [mark.meaning for mark in drawing.legend] == ["lesion"]
    assert drawing.marks.any()
    assert not drawing.marks[~mask].any()
    boxed = prepare_quietly("nih-cxr", synthesize_quietly(tmp_path / "nih", "nih-cxr", 24), workspace.prepared_root)
    row = next(row for row in range(boxed.num_images) if len(boxed.boxes(row)[0]))
    (left, top, _, _), *_ = boxed.boxes(row)[0].tolist()
    drawing = draw_sample(boxed, row)
    assert drawing.marks[min(31, max(0, int(top))), min(31, max(0, int(left)))]
    letters = [mark.letter for mark in drawing.legend]
    assert len(set(letters)) == len(letters)
    view = SampleBook(boxed.path).view(SampleBook(boxed.path).find_marked(Place(), 1))
    assert "box" in dict(view.facts)
    preview = draw_preview(boxed.path)
    assert preview.marks.any()


def test_next_marked_skips_what_has_nothing(workspace, tmp_path):
    data = prepare_quietly("siim", synthesize_quietly(tmp_path / "siim", "siim", 24), workspace.prepared_root)
    book = SampleBook(data.path)
    place = book.find_marked(Place(), 1)
    assert book.view(place).drawing.marks.any()
    assert book.find_marked(book.find_marked(place, 1), -1) == place
    empty = next(Place(ALL, number) for number in range(24) if not book.view(Place(ALL, number)).drawing.legend)
    assert ("mask", "nothing is marked") in book.view(empty).facts


def test_paired_samples_show_their_report(workspace, tmp_path):
    data = prepare_quietly("covid-chestxray", write_chestxray(tmp_path / "pairs"), workspace.prepared_root)
    view = SampleBook(data.path).view(Place())
    text = text_of(describe_sample(view, 60))
    assert "Patchy consolidation of the left lower lobe" in text
    assert not SampleBook(data.path).has_marks
    assert view.drawing.legend == ()


def test_saving_says_where(rural, tmp_path):
    book = SampleBook(rural.path)
    view = book.view(Place())
    assert book.save(view, tmp_path / "out") == f"saved {tmp_path / 'out'}"
    (file,) = (tmp_path / "out").iterdir()
    assert view.id in file.name
    assert file.stat().st_mode & 0o077 == 0
