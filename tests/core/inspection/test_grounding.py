"""Heat maps of phrases, and how they are measured, on a trained checkpoint."""

import numpy as np
import pytest
import torch
from PIL import Image

from lovt_core.config.inspection import GroundingRequest, PhraseRequest, TrainedRun
from lovt_core.data.prepared import open_prepared
from lovt_core.errors import DataError, InputError
from lovt_core.inspection.grounding import PhraseComparison, encode_phrase, ground_phrase
from lovt_core.inspection.grounding_evaluation import evaluate_grounding, find_marked, mark
from lovt_core.inspection.phrases import USUAL_PHRASES, usual_phrases
from lovt_core.inspection.regions import attend
from lovt_core.inspection.trained_method import open_trained
from lovt_core.tasks import TASKS
from lovt_core.values import Result
from tests.core.inspection.trained import RUN, make_experiment, train

PHRASE = "opacity in the left lower lobe"


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 90), dtype=np.uint8)).save(path)
    return path


def ground(place, image, phrase=PHRASE, by="attention"):
    (result,) = ground_phrase(PhraseRequest(run=RUN, image=str(image), phrase=phrase, by=by), place)
    return dict(result.data)


def measure(place, data, **asked):
    values = evaluate_grounding(GroundingRequest(run=RUN, data=data, **asked), place)
    (result,) = [dict(value.data) for value in values if isinstance(value, Result)]
    return result


def test_scores_are_those_of_the_cross_attention(place, film):
    """A report of this one sentence attends to the regions by the same numbers."""
    found = ground(place, film)
    assert (found["by"], found["projections"]) == ("attention", "local")
    method = open_trained(TrainedRun(run=RUN), place)
    tokens = method.encode([PHRASE])
    with torch.no_grad():
        attention = attend(method, np.asarray(Image.open(film)), tokens)["sentence_attention"][0]
    scores = torch.tensor(found["similarities"], dtype=torch.float64)
    torch.testing.assert_close(scores.softmax(0), torch.tensor(attention, dtype=torch.float64), atol=1e-6, rtol=1e-4)


def test_similarities_are_cosines_of_the_local_projections(place, film):
    found = ground(place, film, by="cosine")
    assert (found["height"], found["width"], found["grid"], found["projections"]) == (70, 90, [4, 4], "local")
    method = open_trained(TrainedRun(run=RUN), place)
    alignment = method.model.alignment
    pixels = np.asarray(Image.open(film))
    with torch.no_grad():
        regions = alignment.region_projection(method.model.image_encoder.region_features(method.prepare([pixels])))
        tokens = method.tokenizer.collate([method.tokenizer.encode([PHRASE])])
        phrase = alignment.sentence_projection(method.model.report_encoder(tokens).sentences)[0, 0].numpy()
    for region, similarity in zip(regions[0].numpy(), found["similarities"], strict=True):
        naive = sum(region * phrase) / (np.sqrt(sum(region**2)) * np.sqrt(sum(phrase**2)))
        assert similarity == pytest.approx(naive, abs=1e-5)


def test_phrases_do_not_depend_on_each_other(place):
    method = open_trained(TrainedRun(run=RUN), place)
    texts = [PHRASE, "no effusion", "x"]
    tokens = [encode_phrase(method, text) for text in texts]
    for by in ("attention", "cosine"):
        together = PhraseComparison(method, tokens, by).phrases
        for row, each in enumerate(tokens):
            torch.testing.assert_close(PhraseComparison(method, [each], by).phrases[0], together[row])
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))


def test_a_global_method_compares_global_projections(prepared_root, tmp_path, film):
    losses = {"regions": None, "sentences": None, "local_weights": "uniform"}
    encoder = {"backbone": "test_resnet", "weights": "random", "stride": 16, "pooling": "average"}
    trained = train(prepared_root, tmp_path, make_experiment(objective=losses, image_encoder=encoder))
    assert (ground(trained, film)["by"], ground(trained, film)["projections"]) == ("cosine", "global")
    method = open_trained(TrainedRun(run=RUN), trained)
    pixels = np.asarray(Image.open(film))
    comparison = PhraseComparison(method, [encode_phrase(method, PHRASE)], "attention")
    found = comparison.compare([pixels])
    with torch.no_grad():
        regions = method.model.image_encoder.region_features(method.prepare([pixels]))
        projected = method.model.alignment.image_projection(regions[0])  # an average of one region is the region
    expected = torch.nn.functional.cosine_similarity(projected, comparison.phrases, dim=1)
    torch.testing.assert_close(found.values[0, 0], expected)


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        (" ", "the phrase ' ' holds no word"),
        ("opacity " * 40, r"the phrase has \d+ tokens, the report encoder reads 30: write a shorter one"),
    ],
)
def test_phrases_that_cannot_be_read(place, film, phrase, message):
    with pytest.raises(InputError, match=message):
        ground(place, film, phrase)


def test_an_image_that_cannot_be_read(place, tmp_path):
    (tmp_path / "film.png").write_text("nothing")
    with pytest.raises(DataError, match="not an image of a known format"):
        ground(place, tmp_path / "film.png")


def test_every_class_of_every_task_has_a_phrase():
    classes = {task.data: task.classes for task in TASKS}
    assert {name: tuple(phrases) for name, phrases in USUAL_PHRASES.items()} == classes
    assert usual_phrases("rsna", ("pneumonia", "Other")) == (
        ("pneumonia", "pneumonia"), ("pneumonia", "opacity"), ("Other", "other"),
    )  # fmt: skip


def test_boxes_of_every_class_are_measured(place):
    prepared = open_prepared(place.prepared_root, "nih-cxr")
    result = measure(place, "nih-cxr", part="training")
    counts = {}
    for each in result["phrases"]:
        counts.setdefault(each["class"], each["maps"])
        if each["maps"]:
            assert 0 <= each["pointing_game"] <= 1
            assert 0 < each["chance"] < 1
            assert each["cnr"] >= abs(each["signed_cnr"])
    from lovt_core.data.splits import build_split

    rows = [image for row in build_split(prepared, "auto").train for image in prepared.samples[row].images]
    expected = {
        name: sum(bool((prepared.boxes(row)[1] == label).any()) for row in rows)
        for label, name in enumerate(prepared.meta.classes)
    }
    assert counts == expected
    assert result["all"]["maps"] == sum(each["maps"] for each in result["phrases"])


def test_masks_stand_in_where_there_are_no_boxes(place):
    prepared = open_prepared(place.prepared_root, "covid-rural")
    (first, *_) = find_marked(prepared, range(len(prepared.samples)), {0})
    np.testing.assert_array_equal(mark(prepared, first.row, 0), prepared.mask(first.row)[0].astype(bool))
    result = measure(place, "covid-rural", phrases=(("lesion", "opacity"),))
    assert [(each["class"], each["phrase"]) for each in result["phrases"]] == [("lesion", "opacity")]


@pytest.mark.parametrize(
    ("data", "asked", "message"),
    [
        ("covid-chestxray", {}, "covid-chestxray has reports and no boxes"),
        ("rsna", {}, "data set rsna is not prepared"),
        ("covid-rural", {"phrases": (("Mass", "mass"),)}, "covid-rural has no class 'Mass': its classes are lesion"),
    ],
)
def test_data_that_cannot_be_measured(place, data, asked, message):
    with pytest.raises(InputError, match=message):
        measure(place, data, **asked)


def test_real_films_are_read_as_they_come(place, data_folder):
    """JPEG, PNG and DICOM of any size and depth."""
    films = sorted((data_folder / "covid_chestxray" / "images").iterdir())[:3]
    films += [next((data_folder / "siim").glob("*.dcm")), data_folder / "nih" / "images" / "00000001_000.png"]
    for film in films:
        found = ground(place, film, by="cosine")
        assert min(found["height"], found["width"]) > 200
        assert np.abs(found["similarities"]).max() <= 1 + 1e-6
        assert np.std(found["similarities"]) > 0
