import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.data.reports.text import MIN_TOKENS, clean_text, count_tokens, split_sentences, tokenize
from lovt_core.data.sources.openi_reports import read_reports


@pytest.mark.vectors("15_clean_text")
def test_clean_text_equals_the_reference(vector_settings):
    assert len(vector_settings) >= 1
    for case in vector_settings:
        assert clean_text(case["text"]) == case["cleaned_newlines_to_space"], json.dumps(case)
        assert clean_text(case["text"], newlines="keep") == case["cleaned_keep_newlines"], json.dumps(case)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ()),
        (" \n\t ", ()),
        ("...", ()),
        ("Pneumonia", ("Pneumonia",)),
        ("Lungs are clear. No effusion.", ("Lungs are clear.", "No effusion.")),
        ("Lungs are\nclear. No\r\neffusion.", ("Lungs are clear.", "No effusion.")),
        ("Lungs are clear.No effusion.", ("Lungs are clear.", "No effusion.")),
        ("Lungs are clear\n\nNo effusion", ("Lungs are clear", "No effusion")),
        ("1. No effusion 2. Normal heart", ("No effusion", "Normal heart")),
        ("- No effusion\n- Normal heart", ("No effusion", "Normal heart")),
        ("A nodule of 3 cm. in diameter.", ("A nodule of 3 cm. in diameter.",)),
        ("Discussed with Dr. Smith at 8 a.m. today.", ("Discussed with Dr. Smith at 8 a.m. today.",)),
        ("Opacity of 3.5 mm vs. 4 mm before.", ("Opacity of 3.5 mm vs. 4 mm before.",)),
        ("lungs are clear. heart is normal.", ("lungs are clear.", "heart is normal.")),
        ("Effusion? Yes! Small.", ("Effusion?", "Yes!", "Small.")),
        ("Heart is normal .", ("Heart is normal .",)),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Told to Dr. XXXX. No effusion.", ("Told to Dr. XXXX.", "No effusion.")),
        ("Told to Dr. J. Smith. No effusion.", ("Told to Dr. J. Smith.", "No effusion.")),
        ("Recommend MRI. Findings persist.", ("Recommend MRI.", "Findings persist.")),
        ("The rib at T8-T9. No fracture.", ("The rib at T8-T9.", "No fracture.")),
        ("A nodule of 3 cm. No effusion.", ("A nodule of 3 cm.", "No effusion.")),
        ("Pneumothorax of 2.0 cm. 1.5 cm nodule.", ("Pneumothorax of 2.0 cm.", "1.5 cm nodule.")),
        ("On the 3rd. of May.", ("On the 3rd. of May.",)),
        ("The 10th. rib is broken.", ("The 10th. rib is broken.",)),
        ("Old fracture of the 10th. No effusion.", ("Old fracture of the 10th.", "No effusion.")),
    ],
)
def test_abbreviations_and_numbers(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("1. Clear. 2. Old scar. 3. No mass.", ("Clear.", "Old scar.", "No mass.")),
        ("1. Clear lungs. 2., Mild scoliosis.", ("Clear lungs.", "Mild scoliosis.")),
        ("1. No effusion 2. Normal heart. .", ("No effusion", "Normal heart.")),
        ("No effusion.2. Normal heart", ("No effusion.", "Normal heart")),
        ("KUB 1. Small stone. Chest 1. Clear.", ("KUB", "Small stone.", "Chest", "Clear.")),
        ("Right foot 1. No erosion. 2. Old scar.", ("Right foot", "No erosion.", "Old scar.")),
        ("Fracture of the right rib 4. The left is intact.", ("Fracture of the right rib 4.", "The left is intact.")),
        ("Chest: 1. No effusion. 2. Old scar.", ("Chest: No effusion.", "Old scar.")),
        ("IMPRESSION: 1. No effusion 2. Old scar", ("IMPRESSION: No effusion", "Old scar")),
        ("LUNGS: clear. HEART: Normal.", ("LUNGS: clear.", "HEART: Normal.")),
        ("LUNGS: clear.HEART: Normal.", ("LUNGS: clear.", "HEART: Normal.")),
        ("LUNGS: Clear.\nHEART: Normal.", ("LUNGS: Clear.", "HEART: Normal.")),
    ],
)
def test_lists_and_headings(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("XXXX. XXXX opacity.", ("XXXX.", "XXXX opacity.")),
        ("Normal chest x-XXXX. XXXX, XXXX.", ("Normal chest x-XXXX.", "XXXX, XXXX.")),
        ("No effusion.XXXX change.", ("No effusion.", "XXXX change.")),
        ("Seen in XXXX.In XXXX it was clear.", ("Seen in XXXX.", "In XXXX it was clear.")),
        ("Told at XXXX p.m. XXXX, XXXX.", ("Told at XXXX p.m. XXXX, XXXX.",)),
        ("Told at 8 a.m. 12/3. No effusion.", ("Told at 8 a.m. 12/3.", "No effusion.")),
        ("Told at 8 a.m. The lungs are clear.", ("Told at 8 a.m.", "The lungs are clear.")),
    ],
)
def test_marks_of_deidentification_and_hours(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("No effusion.. Normal heart..", ("No effusion.", "Normal heart.")),
        ("Effusion... No change.", ("Effusion...", "No change.")),
        ("The lungs... seem clear.", ("The lungs... seem clear.",)),
        ("Normal heart. .", ("Normal heart.",)),
    ],
)
def test_doubled_stops_and_ellipses(text, sentences):
    assert split_sentences(text) == sentences


def test_sentences_of_the_real_reports(data_folder):
    """Few begin like a rest of another one; none holds an end that was missed."""
    reports, _ = read_reports(data_folder / "nlmcxr", "NLMCXR_reports.tgz")
    texts = [text for report in reports for text in (report.findings, report.impression)]
    sentences = [sentence for text in texts for sentence in split_sentences(text)]
    assert len(sentences) == 22847
    assert sum(sentence[0].islower() for sentence in sentences) == 47
    missed = [sentence for sentence in sentences if re.search(r"[a-z]{3}\.+\s*[A-Z]|[)%]\. [A-Z]", sentence)]
    assert missed == []
    assert not [sentence for sentence in sentences if re.match(r"\d+[.)]\s", sentence)]
    assert not [sentence for sentence in sentences if sentence.endswith("..") and not sentence.endswith("...")]


@settings(deadline=None)
@given(st.text(alphabet='ab. \n1A-?!)"é', max_size=80))
def test_splitting_keeps_every_letter_and_leaves_clean_sentences(text):
    sentences = split_sentences(text)
    assert all(sentence == clean_text(sentence) and sentence for sentence in sentences)
    assert [c for c in "".join(sentences) if c.isalpha()] == [c for c in text if c.isalpha()]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing(text):
    assert clean_text(clean_text(text)) == clean_text(text)


@pytest.mark.parametrize(
    "piece", ["a", " ", "\t \n", "\n", "A. ", "Dr. ", "3. ", "1. ", "a.B", "(", "XXXX ", ".", "- "]
)
def test_long_texts_without_sense_are_split_in_linear_time(piece):
    text = f"Clear. {piece * 50_000} End."
    assert "".join(split_sentences(text)).startswith("Clear.")


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("pneumonia", 1), ("No effusion", 2), ("No effusion.", 3)])
def test_tokens_are_words_and_marks(text, tokens):
    assert count_tokens(split_sentences(text)) == tokens
    assert MIN_TOKENS == 3


def test_what_belongs_together_is_one_token():
    assert tokenize("T8-T9 and/or 3.5 cm, XXXX's x-XXXX.") == [
        *("T8-T9", "and/or", "3.5", "cm", ",", "XXXX's", "x-XXXX", "."),
    ]
