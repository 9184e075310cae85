"""A cross-encoder that the operator names reorders what search found."""

import pytest

from knowledge.reranking import CrossEncoderReranker


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A cross-encoder of one small layer with random weights, saved as safetensors."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "invoice", "dashboard"]
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path_factory.mktemp("cross-encoder")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
    )
    fast.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=1
    )
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.mark.filterwarnings("default")
def test_a_cross_encoder_by_path_gives_one_score_per_passage(tiny_model):
    reranker = CrossEncoderReranker(str(tiny_model))
    scores = reranker.scores("refund", ["invoice", "dashboard refund", ""])
    assert scores.shape == (3,)
    assert reranker.scores("refund", ["invoice"])[0] == pytest.approx(scores[0], abs=1e-4)
