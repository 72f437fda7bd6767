"""Report encoders and their tokenizers from a config: tiny, packaged, a folder, or the model hub."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from lovt_core.config.encoders import ReportEncoderConfig
from lovt_core.errors import ConfigError, MissingWeightsError
from lovt_core.models.language_sources import LanguageSource, find_language_source
from lovt_core.models.report_encoder import ReportEncoder, freeze_layers
from lovt_core.models.report_tokens import ReportTokenizer, special_tokens
from lovt_core.models.tiny_bert import build_tiny_bert, train_tokenizer


def build_tokenizer(config: ReportEncoderConfig, sentences: Iterable[str]) -> ReportTokenizer:
    """The tokenizer of a config; `sentences` are the corpus that `tiny` learns its vocabulary from.

    Raises MissingWeightsError where the model's files are not on this machine.
    """
    if config.model == "tiny":
        return train_tokenizer(config, sentences)
    source = find_language_source(config.model)
    with _reading(source):
        opened: Any = AutoTokenizer.from_pretrained(source.name, local_files_only=source.local_files_only)
        backend = opened.backend_tokenizer
    special = special_tokens(backend, opened.cls_token, opened.sep_token, opened.pad_token)
    return ReportTokenizer(backend, special, config.max_tokens)


def build_report_encoder(
    config: ReportEncoderConfig, tokenizer: ReportTokenizer, pretrained: bool = True
) -> ReportEncoder:
    """The encoder of a config, frozen as it says; random weights (global generator) if `pretrained` is false.

    Raises MissingWeightsError where the model's files are not on this machine, ConfigError where the config asks more
    tokens or layers than it has.
    """
    model: Any
    if config.model == "tiny":
        model = build_tiny_bert(config, tokenizer.vocabulary_size)
    else:
        model = _load(find_language_source(config.model), pretrained)
    if config.max_tokens > model.config.max_position_embeddings:
        raise ConfigError(
            f"report_encoder.max_tokens is {config.max_tokens}, but '{config.model}' has "
            f"{model.config.max_position_embeddings} positions"
        )
    freeze_layers(model, config)
    return ReportEncoder(model)


def _load(source: LanguageSource, pretrained: bool) -> Any:
    with _reading(source):
        if not pretrained:
            return AutoModel.from_config(
                AutoConfig.from_pretrained(source.name, local_files_only=source.local_files_only)
            )
        return AutoModel.from_pretrained(source.name, local_files_only=source.local_files_only, dtype=torch.float32)


@contextmanager
def _reading(source: LanguageSource) -> Iterator[None]:
    """Keep transformers quiet and turn its errors into one that names the source."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise MissingWeightsError(f"the language model '{source.name}' cannot be read: {error}") from error
    finally:
        logging.set_verbosity(verbosity)
