"""From sentences to token ids and batches of them (vectors section 22, joint collation).

Shapes: B batch, T tokens of the longest report, S sentences of the report with most, K tokens of the longest sentence.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from tokenizers import Tokenizer
from torch import Tensor

from lovt_core.errors import ConfigError, DataError, LovtError

SentenceTokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenBatch:
    """Reports of a batch, each one encoded as a whole."""

    input_ids: Tensor
    """(B, T) int64."""
    attention_mask: Tensor
    """(B, T) bool: real tokens, special ones included."""
    special_tokens_mask: Tensor
    """(B, T) bool: first and last token of a report, and padding."""
    sentence_mask: Tensor
    """(B, S) bool: real sentences."""
    sentence_token_mask: Tensor
    """(B, S, K) bool: real tokens of each sentence; a report's tokens lie in it in the order of `input_ids`."""

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """The same batch on another device; to a GPU by way of page-locked memory where it may not block."""
        source = self.pin_memory() if non_blocking and torch.device(device).type == "cuda" else self
        moved = {
            field.name: getattr(source, field.name).to(device, non_blocking=non_blocking) for field in fields(self)
        }
        return type(self)(**moved)

    def part(self, rows: slice) -> Self:
        """Some of the reports, padded as in the whole batch."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def pin_memory(self) -> Self:
        """The same batch in page-locked memory."""
        return type(self)(**{field.name: getattr(self, field.name).pin_memory() for field in fields(self)})


@dataclass(frozen=True)
class SpecialTokens:
    """Ids of the tokens around a report and of padding."""

    start: int
    end: int
    padding: int


class ReportTokenizer:
    """Sentences -> token ids -> batches. Lives in a folder in the layout that transformers opens too."""

    def __init__(self, tokenizer: Tokenizer, special: SpecialTokens, max_tokens: int) -> None:
        """Own `tokenizer` (a truncation or padding of its own is switched off); `max_tokens` counts a whole report."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.special = special
        self.max_tokens = max_tokens

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids that can occur."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, sentences: Sequence[str]) -> tuple[SentenceTokens, ...]:
        """Token ids of each sentence without special tokens; sentences without any token are left out."""
        encodings = self._tokenizer.encode_batch(list(sentences), add_special_tokens=False)
        return tuple(tuple(encoding.ids) for encoding in encodings if encoding.ids)

    def collate(self, reports: Sequence[Sequence[Sequence[int]]], bucket: int = 1) -> TokenBatch:
        """Batch of encoded reports; T is a multiple of `bucket`, or `max_tokens`.

        Raises DataError for a report without a sentence.
        """
        return collate_reports(reports, self.special, self.max_tokens, bucket)

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and `tokenizer_config.json` into an existing folder."""
        names = {
            field: self._tokenizer.id_to_token(getattr(self.special, field)) for field in ("start", "end", "padding")
        }
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "cls_token": names["start"],
            "sep_token": names["end"],
            "pad_token": names["padding"],
            "model_max_length": self.max_tokens,
        }
        (folder / "tokenizer.json").write_text(self._tokenizer.to_str(pretty=True), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; raises LovtError where it is damaged."""
        try:
            config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
            tokenizer = Tokenizer.from_str(json.dumps(content))
            special = special_tokens(tokenizer, config["cls_token"], config["sep_token"], config["pad_token"])
            return cls(tokenizer, special, int(config["model_max_length"]))
        except (OSError, ValueError, KeyError) as error:
            raise LovtError(f"the tokenizer in {folder} cannot be read: {error}") from error


def special_tokens(tokenizer: Tokenizer, start: str, end: str, padding: str) -> SpecialTokens:
    """Look up the three tokens; raises ConfigError where the vocabulary lacks one."""
    return SpecialTokens(*(_token_id(tokenizer, name) for name in (start, end, padding)))


def _token_id(tokenizer: Tokenizer, name: str) -> int:
    token_id: int | None = tokenizer.token_to_id(name)
    if token_id is None:
        raise ConfigError(f"the tokenizer has no token '{name}'")
    return token_id


def collate_reports(
    reports: Sequence[Sequence[Sequence[int]]], special: SpecialTokens, max_tokens: int, bucket: int = 1
) -> TokenBatch:
    """Joint collation: each report is one sequence `start sentence ... sentence end padding`.

    A sentence is cut to `max_tokens` - 2 tokens; from the first sentence on that no longer fits, all are dropped.
    The longest one is padded to a multiple of `bucket` tokens, or to `max_tokens`.
    Raises DataError for a report without a sentence.
    """
    kept = [_fitting_sentences(report, max_tokens - 2) for report in reports]
    lengths = [[len(sentence) for sentence in report] for report in kept]
    if not all(lengths):
        raise DataError("a report without any word cannot be encoded: leave it out of the data")
    num_tokens = torch.tensor([sum(report) for report in lengths])
    num_sentences = torch.tensor([len(report) for report in lengths])
    sentence_lengths = torch.zeros(len(kept), int(num_sentences.max()), dtype=torch.int64)
    longest = int(num_tokens.max()) + 2
    padded = max(longest, min(-(-longest // bucket) * bucket, max_tokens))
    input_ids = torch.full((len(kept), padded), special.padding)
    for row, report in enumerate(kept):
        ids = [special.start, *(token for sentence in report for token in sentence), special.end]
        input_ids[row, : len(ids)] = torch.tensor(ids)
        sentence_lengths[row, : len(report)] = torch.tensor(lengths[row])
    positions = torch.arange(input_ids.shape[1])
    attention_mask = positions < num_tokens[:, None] + 2
    return TokenBatch(
        input_ids=input_ids,
        attention_mask=attention_mask,
        special_tokens_mask=(positions == 0) | (positions > num_tokens[:, None]),
        sentence_mask=sentence_lengths > 0,
        sentence_token_mask=torch.arange(int(sentence_lengths.max())) < sentence_lengths[:, :, None],
    )


def _fitting_sentences(report: Sequence[Sequence[int]], room: int) -> list[Sequence[int]]:
    kept: list[Sequence[int]] = []
    for sentence in report:
        cut = sentence[:room]
        if not cut:
            continue
        if sum(map(len, kept)) + len(cut) > room:
            break
        kept.append(cut)
    return kept
