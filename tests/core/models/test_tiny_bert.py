import os
import random
import subprocess
import sys

import pytest

from lovt_core.config.encoders import ReportEncoderConfig, TinyBert
from lovt_core.models.language_models import build_report_encoder, build_tokenizer

WORDS = ("small", "large", "left", "right", "upper", "lower", "zone", "opacity", "effusion", "heart", "no", "is", "in")


def corpus():
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=8)) + "." for _ in range(400)]


def config(**tiny):
    return ReportEncoderConfig(model="tiny", tiny=TinyBert(**tiny), frozen_layers=0, max_tokens=64)


def test_order_of_sentences_does_not_matter(tmp_path):
    sentences = corpus()
    texts = []
    for order in (sentences, sentences[::-1]):
        build_tokenizer(config(), order).save(tmp_path)
        texts.append((tmp_path / "tokenizer.json").read_text())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("parallel", ["true", "false"])
def test_another_process_learns_the_same(tmp_path, parallel):
    program = (
        "import sys; from pathlib import Path\n"
        "from lovt_core.config.encoders import ReportEncoderConfig, TinyBert\n"
        "from lovt_core.models.tiny_bert import train_tokenizer\n"
        "c = ReportEncoderConfig(model='tiny', tiny=TinyBert(), frozen_layers=0, max_tokens=64)\n"
        "train_tokenizer(c, sys.stdin.read().splitlines()).save(Path(sys.argv[1]))\n"
    )
    environment = os.environ | {"TOKENIZERS_PARALLELISM": parallel, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(command, input="\n".join(corpus()), text=True, check=True, env=environment)
    there = (tmp_path / "tokenizer.json").read_text()
    build_tokenizer(config(), corpus()).save(tmp_path)
    assert (tmp_path / "tokenizer.json").read_text() == there


def test_vocabulary_is_bounded_and_covers_the_corpus():
    tokenizer = build_tokenizer(config(vocabulary_size=80), corpus())
    assert tokenizer.vocabulary_size <= 80
    unknown = tokenizer.encode(["\u4e2d"])[0]
    assert all(unknown[0] not in sentence for sentence in tokenizer.encode(corpus()))


def test_sizes_come_from_the_config():
    settings = config(width=24, layers=3, heads=3, dropout=0.1)
    encoder = build_report_encoder(settings, build_tokenizer(settings, corpus()))
    model = encoder.language_model.config
    assert encoder.width == 24
    assert (model.num_hidden_layers, model.num_attention_heads, model.max_position_embeddings) == (3, 3, 64)
    assert model.hidden_dropout_prob == model.attention_probs_dropout_prob == 0.1


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="heads 3 does not divide width 10"):
        config(width=10, heads=3)
