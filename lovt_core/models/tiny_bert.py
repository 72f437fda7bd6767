"""A BERT small enough for a laptop, with a WordPiece vocabulary of its own corpus."""

from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertModel

from lovt_core.config.encoders import ReportEncoderConfig, TinyBert
from lovt_core.models.report_tokens import ReportTokenizer, special_tokens

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def build_tiny_bert(config: ReportEncoderConfig, vocabulary_size: int) -> BertModel:
    """Random weights, drawn from the global generator; `max_tokens` positions."""
    tiny = config.tiny or TinyBert()
    return BertModel(
        BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=tiny.width,
            num_hidden_layers=tiny.layers,
            num_attention_heads=tiny.heads,
            intermediate_size=4 * tiny.width,
            hidden_dropout_prob=tiny.dropout,
            attention_probs_dropout_prob=tiny.dropout,
            max_position_embeddings=config.max_tokens,
            pad_token_id=_SPECIAL.index("[PAD]"),
        )
    )


def train_tokenizer(config: ReportEncoderConfig, sentences: Iterable[str]) -> ReportTokenizer:
    """WordPiece vocabulary of the sentences; the same sentences in any order give the same vocabulary."""
    tokenizer = _untrained({})
    corpus = sorted(sentences)
    # The trainer numbers letters inside words in the order of a hash table, and its choices between equally frequent
    # pieces follow these numbers. Handing the letters over as if they were special tokens fixes them.
    letters = sorted(_letters_inside_words(tokenizer, corpus))
    trainer = trainers.WordPieceTrainer(
        vocab_size=(config.tiny or TinyBert()).vocabulary_size,
        special_tokens=[*_SPECIAL, *letters],
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    trained = _untrained(tokenizer.get_vocab())
    trained.add_special_tokens(list(_SPECIAL))
    return ReportTokenizer(trained, special_tokens(trained, "[CLS]", "[SEP]", "[PAD]"), config.max_tokens)


def _untrained(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _letters_inside_words(tokenizer: Tokenizer, corpus: Iterable[str]) -> set[str]:
    words: set[str] = set()
    for sentence in corpus:
        normalised = tokenizer.normalizer.normalize_str(sentence)
        words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalised))
    return {f"##{letter}" for word in words for letter in word[1:]}
