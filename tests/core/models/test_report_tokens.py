import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from lovt_core.errors import DataError, LovtError
from lovt_core.models.report_tokens import ReportTokenizer, SpecialTokens, collate_reports

WORDS = ("[PAD]", "[CLS]", "[SEP]", "heart", "size", "is", "normal", ".", "[UNK]")


@pytest.mark.vectors("22_report_encoder")
def test_reference_collation(case):
    settings = case.settings
    special = SpecialTokens(settings["cls_id"], settings["sep_id"], settings["pad_id"])
    tokens = collate_reports(settings["sentence_token_ids"], special, settings["max_length"])
    for name in ("input_ids", "attention_mask", "special_tokens_mask", "sentence_mask", "sentence_token_mask"):
        case.check(name, getattr(tokens, name))


def build(max_tokens=16):
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.enable_truncation(2)
    backend.enable_padding(length=9)
    return ReportTokenizer(backend, SpecialTokens(1, 2, 0), max_tokens)


def test_a_truncation_of_the_tokenizers_own_is_off():
    assert build().encode(["heart size is normal."]) == ((3, 4, 5, 6, 7),)


def test_sentences_without_tokens_are_left_out():
    assert build().encode(["heart", "", "  ", "."]) == ((3,), (7,))
    assert collate_reports([[[3], [], [7]]], SpecialTokens(1, 2, 0), 16).sentence_mask.tolist() == [[True, True]]


def test_a_report_that_is_too_long_ends_with_a_whole_sentence():
    tokenizer = build(max_tokens=7)
    fits, long = tokenizer.encode(["heart size .", "size ."]), tokenizer.encode(["heart size .", "heart size is"])
    assert (tokenizer.is_cut(fits), tokenizer.is_cut(long)) == (False, True)
    tokens = tokenizer.collate([fits, long])
    assert tokens.sentence_mask.tolist() == [[True, True], [True, False]]
    assert tokens.input_ids[1].tolist() == [1, 3, 4, 7, 2, 0, 0]


def test_an_empty_report_is_refused():
    with pytest.raises(DataError, match="without any word"):
        build().collate([[(3,)], []])


def test_saved_and_loaded(tmp_path):
    tokenizer = build(max_tokens=7)
    tokenizer.save(tmp_path)
    loaded = ReportTokenizer.load(tmp_path)
    reports = [loaded.encode(["heart size", "normal."]), loaded.encode(["size is heart is normal ."])]
    assert (loaded.special, loaded.max_tokens) == (tokenizer.special, 7)
    assert torch.equal(loaded.collate(reports).input_ids, tokenizer.collate(reports).input_ids)


def test_a_damaged_folder_is_named(tmp_path):
    with pytest.raises(LovtError, match=r"the tokenizer in .* cannot be read"):
        ReportTokenizer.load(tmp_path)
    build().save(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(LovtError, match=r"the tokenizer in .* cannot be read"):
        ReportTokenizer.load(tmp_path)


def test_moved_batch_keeps_its_values():
    tokens = build().collate([[(3, 4), (5,)]])
    assert torch.equal(tokens.to("cpu").input_ids, tokens.input_ids)
    assert tokens.to("meta").sentence_mask.device.type == "meta"


@pytest.mark.parametrize(("bucket", "tokens"), [(1, 5), (4, 8), (8, 8), (64, 16)])
def test_padded_length_is_a_multiple_of_the_bucket_or_the_most_there_can_be(bucket, tokens):
    reports = [[(5, 6), (7,)], [(8,)]]
    batch = build(max_tokens=16).collate(reports, bucket)
    plain = build(max_tokens=16).collate(reports)
    assert batch.input_ids.shape == (2, tokens)
    assert torch.equal(batch.input_ids[:, :5], plain.input_ids)
    assert not batch.attention_mask[:, 5:].any()
    assert batch.special_tokens_mask[:, 5:].all()
    assert torch.equal(batch.sentence_token_mask, plain.sentence_token_mask)


def test_a_part_is_padded_as_the_whole():
    batch = build().collate([[(5, 6), (7,)], [(8,)], [(9, 9, 9)]])
    part = batch.part(slice(1, 2))
    assert part.input_ids.shape == (1, batch.input_ids.shape[1])
    assert torch.equal(part.sentence_token_mask, batch.sentence_token_mask[1:2])
