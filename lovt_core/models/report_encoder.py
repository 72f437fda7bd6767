"""Report encoder: a BERT over the whole report whose tokens are gathered into sentences (paper section 3.1, y^b).

Shapes: B batch, T tokens, S sentences, K tokens of the longest sentence, D dimension.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lovt_core.config.encoders import ReportEncoderConfig
from lovt_core.errors import ConfigError
from lovt_core.models.encoder import Encoder
from lovt_core.models.report_tokens import TokenBatch


@dataclass(frozen=True)
class ReportFeatures:
    """Sentences of a batch of reports."""

    sentences: Tensor
    """y^b (B, S, D); zero on padding."""
    mask: Tensor
    """(B, S) bool: real sentences."""


class ReportEncoder(Encoder):
    """Language model and maximum over each sentence's tokens."""

    def __init__(self, language_model: nn.Module) -> None:
        """`language_model` is a transformers encoder that returns `last_hidden_state`."""
        super().__init__()
        self.language_model = language_model
        config: Any = language_model.config
        self.width = int(config.hidden_size)
        """D of the sentences."""

    def forward(self, tokens: TokenBatch) -> ReportFeatures:
        """Encode each report as a whole."""
        sentences = self.in_micro_batches(lambda rows: self._encode(tokens.part(rows)), len(tokens.input_ids))
        return ReportFeatures(sentences, tokens.sentence_mask)

    @property
    def network(self) -> nn.Module:
        """The language model."""
        return self.language_model

    def _encode(self, tokens: TokenBatch) -> Tensor:
        output: Any = self.language_model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask.long())
        return gather_sentences(output.last_hidden_state, tokens).sentences


def gather_sentences(token_features: Tensor, tokens: TokenBatch) -> ReportFeatures:
    """Maximum over the tokens of each sentence: token_features (B, T, D) -> sentences (B, S, D)."""
    batch, num_positions, width = token_features.shape
    real = tokens.sentence_token_mask
    start = 1  # the report's first token is special
    positions = start + (real.flatten(1).cumsum(dim=1) - 1).view(real.shape)
    first_of_report = torch.arange(batch, device=real.device).view(-1, 1, 1) * num_positions
    rows = torch.where(real, first_of_report + positions, 0)
    gathered = token_features.flatten(0, 1).index_select(0, rows.flatten()).view(*rows.shape, width)
    sentences = gathered.masked_fill(~real.unsqueeze(-1), float("-inf")).max(dim=2).values
    return ReportFeatures(sentences.masked_fill(~tokens.sentence_mask.unsqueeze(-1), 0), tokens.sentence_mask)


def freeze_layers(language_model: nn.Module, config: ReportEncoderConfig) -> None:
    """Take the embeddings and the first layers out of training; their dropout stays.

    Raises ConfigError where the model has fewer layers, or is not built like a BERT.
    """
    embeddings, encoder = getattr(language_model, "embeddings", None), getattr(language_model, "encoder", None)
    layers = getattr(encoder, "layer", None)
    if embeddings is None or layers is None:
        raise ConfigError(f"report_encoder.model '{config.model}' is not built like a BERT: it has no encoder.layer")
    if config.frozen_layers > len(layers):
        raise ConfigError(
            f"report_encoder.frozen_layers is {config.frozen_layers}, but '{config.model}' has {len(layers)} layers"
        )
    frozen = [*layers[: config.frozen_layers], *([embeddings] if config.freeze_embeddings else [])]
    for module in frozen:
        module.requires_grad_(False)
