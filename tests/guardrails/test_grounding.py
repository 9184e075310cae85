"""Sentences of a written draft against the passages they cite."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from guardrails.checks.grounding import Grounding, Statement, foreign, supported
from guardrails.drafts import CitedPassage
from guardrails.settings import GuardSettings
from guardrails.support.cues import stem
from guardrails.support.entailment import WINDOW, CrossEncoderEntailment, UnusableModel, windows
from guardrails.support.facts import Unit, facts, missing
from guardrails.support.fitted import shipped
from guardrails.support.words import read
from knowledge.embedding import HashingEncoder, MiniLM, Multilingual

LANGUAGES = Path(__file__).parents[2] / "evals" / "examples" / "groundedness" / "languages.jsonl"
PASSAGE = CitedPassage(
    "p1",
    "Refunds take 14 days and reach the card you paid with. Open **Billing > Refunds** and press **Ask**. The desk closes at 15:00. "
    "Plus costs €8 a month. Details are at https://help.example/refunds.",
    "Ask for a refund",
)


def found(text: str):
    return facts([word.lower for word in read(text).words])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("two weeks", "14 days"),
        ("three days", "72 hours"),
        ("3 p.m.", "15:00"),
        ("three in the afternoon", "15:00"),
        ("nine percent", "9 %"),
        ("€8", "8 euros"),
        ("1,000 dollars", "$1000"),
        ("a quarter of an hour", "15 minutes"),
        ("two and a half hours", "150 minutes"),
        ("one hundred and fifty euros", "150 €"),
        ("drei Monate", "three months"),
        ("as many as 5 guests", "five guests"),
        ("noon", "12:00"),
    ],
)
def test_the_same_amount_in_other_words_is_the_same(left, right):
    assert found(left)
    assert not missing(found(left), found(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [("two weeks", "15 days"), ("3 p.m.", "3:00"), ("9 %", "9 euros"), ("8 GB", "8 %"), ("5 May", "5 June"), ("2.5", "25")],
)
def test_another_amount_is_another(left, right):
    assert missing(found(left), found(right))


def test_a_duration_without_its_unit_is_no_duration():
    assert found("14 days")[0].unit is Unit.DURATION
    assert missing(found("14 days"), found("page 14"))


def test_one_as_a_pronoun_is_no_number():
    assert not found("no one sees this one")


@pytest.fixture(scope="module")
def grounding(models):
    return Grounding({"main": MiniLM(models), "multilingual": Multilingual()})


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Refunds take 16 days.", "number"),
        ("Plus costs €9 a month.", "number"),
        ("The desk closes at 4 p.m.", "number"),
        ("Read https://evil.example/refunds for details.", "address"),
        ("Open Billing > Invoices and press Ask.", "menu"),
        ("Refunds are handled by Stripe.", "name"),
        ("Geld zurück gibt es nach 16 Tagen und das ist die Regel.", "number"),
    ],
)
def test_a_literal_that_no_passage_holds_cuts_the_sentence(grounding, sentence, reason):
    (support,) = grounding.check([Statement(sentence, (PASSAGE,))])
    assert not support.ok
    assert support.score == 0
    assert any(reason in why for why in support.reasons)


def test_a_sentence_repeated_word_for_word_passes(grounding):
    statements = [Statement(s, (PASSAGE,)) for s in ("Refunds take 14 days and reach the card you paid with.", "The desk closes at 15:00.")]
    assert [support.ok for support in grounding.check(statements)] == [True, True]
    assert grounding.check(statements)[0].score == 1


def test_a_part_of_a_sentence_is_no_quotation():
    passage = CitedPassage("p2", "Unless you cancel in time your plan renews in May.")
    assert supported("Your plan renews in May.", [passage], {}).score < 1


def test_a_sentence_about_something_else_is_cut_with_a_reason(grounding):
    (support,) = grounding.check([Statement("Our engineers visit your home and repair the washing machine.", (PASSAGE,))])
    assert not support.ok
    assert support.reasons


def test_a_sentence_without_a_passage_is_cut(grounding):
    (support,) = grounding.check([Statement("It takes a while.", ())])
    assert not support.ok


def test_a_right_paraphrase_scores_above_its_wrong_twin(grounding):
    right, wrong = grounding.check(
        [
            Statement(s, (PASSAGE,))
            for s in ("The money comes back to the card you used.", "The money never comes back to the card you used.")
        ]
    )
    assert right.score > wrong.score


def test_a_batch_gives_what_single_sentences_give(grounding):
    sentences = ["Refunds take two weeks.", "The desk shuts at 3 p.m.", "Nobody gets a refund."]
    batch = grounding.check([Statement(s, (PASSAGE,)) for s in sentences])
    single = [grounding.check([Statement(s, (PASSAGE,))])[0] for s in sentences]
    assert [one.ok for one in batch] == [one.ok for one in single]
    assert [one.score for one in batch] == pytest.approx([one.score for one in single], abs=0.02)


def test_each_encoder_embeds_once_for_a_batch():
    class Counting(HashingEncoder):
        calls = 0

        def embed_documents(self, texts):
            self.calls += 1
            return super().embed_documents(texts)

    encoder = Counting()
    Grounding({"main": encoder}).check([Statement(f"Sentence {n} is here.", (PASSAGE,)) for n in range(5)])
    assert encoder.calls == 1


@pytest.mark.parametrize("sentence", ["", "!!!", "\ud800", "**", ">", "1", "a" * 5000, "no " * 500])
def test_odd_sentences_are_judged_without_an_error(sentence):
    support = supported(sentence, [PASSAGE], {"main": HashingEncoder()})
    assert 0 <= support.score <= 1


def test_without_encoders_only_words_speak():
    assert supported("Refunds take 14 days.", [PASSAGE], {}).score >= 0


def test_a_stricter_share_never_passes_more():
    curve = shipped().same
    thresholds = [curve.threshold(share) for share in (0.5, 0.8, 0.95, 1.0)]
    assert thresholds == sorted(thresholds)


def test_every_sign_counts_in_its_own_direction_only():
    from evals.fit_grounding import directions

    for curve in (shipped().same, shipped().across):
        assert (np.array(curve.weights) * directions(curve.features) >= 0).all()


def test_sentences_in_other_languages_are_told_from_english_ones():
    rows = [json.loads(line) for line in LANGUAGES.read_text(encoding="utf-8").splitlines()]
    assert sum(foreign(read(row["response"])) for row in rows) >= 0.8 * len(rows)
    assert not any(foreign(read(row["context"])) for row in rows)


def test_right_sentences_in_other_languages_mostly_score_above_wrong_ones(grounding):
    rows = [json.loads(line) for line in LANGUAGES.read_text(encoding="utf-8").splitlines()]
    judged = grounding.check([Statement(row["response"], (CitedPassage("p", row["context"]),)) for row in rows])
    right = [one.score for one, row in zip(judged, rows, strict=True) if row["label"] == "grounded"]
    wrong = [one.score for one, row in zip(judged, rows, strict=True) if row["label"] != "grounded"]
    assert np.mean([a > b for a in right for b in wrong]) >= 0.7


class Never:
    """A model that says nothing follows."""

    def scores(self, pairs):
        return np.zeros(len(pairs), dtype=np.float32)


def test_an_entailment_model_may_cut_what_the_sum_lets_pass():
    lenient = Grounding({"main": HashingEncoder()}, caught=0.5)
    strict = Grounding({"main": HashingEncoder()}, caught=0.5, entailment=Never())
    statements = [Statement(s, (PASSAGE,)) for s in ("Refunds take 14 days and reach the card you used.", "The desk closes at 15:00.")]
    before, after = lenient.check(statements), strict.check(statements)
    assert after[1].ok  # word for word
    assert not after[0].ok
    assert before[0].score >= after[0].score


class NoNumber:
    """A model that is broken: it knows no probability."""

    def scores(self, pairs):
        return np.full(len(pairs), np.nan, dtype=np.float32)


def test_a_probability_that_is_no_number_counts_as_not_following():
    strict = Grounding({"main": HashingEncoder()}, caught=0.3, entailment=NoNumber())
    (support,) = strict.check([Statement("Refunds take 14 days and reach the card you used.", (PASSAGE,))])
    assert (support.ok, support.score) == (False, 0.0)


def test_a_long_text_is_read_in_parts_that_leave_nothing_out():
    words = [f"w{n}" for n in range(1001)]
    parts = windows(" ".join(words))
    assert all(len(part.split()) <= WINDOW for part in parts)
    assert all(any({one, other} <= set(part.split()) for part in parts) for one, other in pairwise(words))
    assert windows("one two") == ["one two"]


JUDGED = 0.3
COPIES = [
    ("The desk closes at 15:00 on weekdays only.", "The desk closes at 15:00 on weekdays.", False),
    ("You can not undo the deletion of a board.", "You can undo the deletion of a board.", False),
    ("Admins can export the list of members.", "All admins can export the list of members.", False),
    ("The desk closes at 15:00 on weekdays only.", "The desk closes at 15:00 on weekdays only.", True),
    ("Only owners can delete a board.", "Nobody but an owner has the right to remove a board.", True),
]


@pytest.mark.parametrize(("text", "sentence", "ok"), COPIES)
def test_a_copy_with_a_changed_not_or_only_is_cut_whoever_judges_and_a_paraphrase_is_not(models, text, sentence, ok):
    lenient = Grounding({"main": MiniLM(models), "multilingual": Multilingual()}, caught=JUDGED)
    (support,) = lenient.check([Statement(sentence, (CitedPassage("p", text),))])
    assert support.ok is ok


@pytest.mark.parametrize(
    ("sentence", "ok"),
    [
        ("The money comes back to the card that was charged.", True),
        ("Das Geld kommt auf die Karte zurück, mit der du bezahlt hast.", True),
        ("Our engineers visit your home and repair the washing machine.", False),
        ("Unsere Techniker reparieren die Waschmaschine bei dir zu Hause.", False),
    ],
)
def test_beside_a_judge_only_what_is_about_something_else_is_cut(models, sentence, ok):
    lenient = Grounding({"main": MiniLM(models), "multilingual": Multilingual()}, caught=JUDGED)
    (support,) = lenient.check([Statement(sentence, (PASSAGE,))])
    assert (support.ok, "it is about something else than its passages" in support.reasons) == (ok, not ok)


def test_a_menu_ends_where_the_sentence_goes_on():
    assert read("Switch it in My box > Calendar no later than Monday.").menus == ["my box", "calendar"]
    assert read("Press Devices > Add after the light has turned white.").menus == ["devices", "add"]


def tiny(folder: Path, labels: dict[int, str]) -> Path:
    """A cross-encoder of one small layer with random weights, saved as safetensors."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "days"]
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    marks = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **marks).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, id2label=labels
    )
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.mark.filterwarnings("default")
def test_a_cross_encoder_by_path_gives_a_probability_per_pair(tmp_path):
    model = CrossEncoderEntailment(str(tiny(tmp_path, {0: "contradiction", 1: "entailment", 2: "neutral"})))
    scores = model.scores([("refund days", "refund"), ("days", "refund")])
    assert scores.shape == (2,)
    assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.filterwarnings("default")
def test_the_settings_put_a_cross_encoder_behind_the_literals(tmp_path):
    from api.bootstrap import grounding as chosen
    from api.settings import Settings

    path = str(tiny(tmp_path, {0: "contradiction", 1: "entailment", 2: "neutral"}))
    settings = Settings(guardrails=GuardSettings(entailment=path))
    made = chosen(settings, {"main": HashingEncoder()})
    passed, wrong, quoted = made.check(
        [
            Statement(s, (PASSAGE,))
            for s in ("Refunds take 14 days, then reach your card.", "Refunds take 16 days.", "The desk closes at 15:00.")
        ]
    )
    assert 0 <= passed.score < 1
    assert not wrong.ok
    assert (quoted.ok, quoted.quoted) == (True, True)


def test_how_much_the_sum_must_catch_depends_on_who_judges_beside_it():
    from api.bootstrap import grounding as chosen
    from api.settings import Settings
    from assistant.settings import AssistantSettings

    unjudged, judged = Settings(), Settings(assistant=AssistantSettings(chat_judge="openai:x"))
    own = Settings(assistant=AssistantSettings(chat_judge="openai:x"), guardrails=GuardSettings(written_caught=0.7))
    assert [chosen(one, {})._caught for one in (unjudged, judged, own)] == [0.95, 0.3, 0.7]


@pytest.mark.filterwarnings("default")
def test_a_cross_encoder_that_names_no_entailment_is_refused(tmp_path):
    with pytest.raises(UnusableModel, match="entailment"):
        CrossEncoderEntailment(str(tiny(tmp_path, {0: "yes", 1: "no"})))


def test_the_fit_holds_its_provenance():
    from guardrails.support.fitted import FILE

    provenance = json.loads(FILE.read_text(encoding="utf-8"))["provenance"]
    assert provenance["rows"]
    assert provenance["licences"] == "our own"
    assert stem("refunds") == stem("refund")
