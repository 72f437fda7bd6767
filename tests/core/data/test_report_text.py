import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lovt_core.data.report_text import MIN_TOKENS, clean_text, count_tokens, split_sentences


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
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


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


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("pneumonia", 1), ("No effusion", 2), ("No effusion.", 3)])
def test_tokens_are_words_and_marks(text, tokens):
    assert count_tokens(split_sentences(text)) == tokens
    assert MIN_TOKENS == 3
