"""Right sentences in other words reach the visitor where a judge knows what they mean, and wrong ones do not.

The judge here answers from the labels of our own pairs, so this shows that nothing before or behind a judge cuts what is right, or lets
pass what it calls wrong; how good a real judge is, `python -m evals run --only own/paraphrases` measures with the judge of the settings.
"""

import json
import re
from typing import Any

import pytest

from api.bootstrap import Service, grounding, judge
from assistant import judging
from assistant.chat_model import Prompt
from assistant.means import Means
from assistant.proving import Proof, Sentence, prove
from assistant.stand_ins import Line, ScriptedModel
from guardrails.drafts import CitedPassage
from tests.builders import ROOT

PAIRS = ROOT / "evals" / "examples" / "groundedness" / "paraphrases.jsonl"
WORD = re.compile(r"[\w€]+(?:[.,:/]\w+)*")
AT_ONCE = 22  # sentences of one call
SHOWN = re.compile(r"^\[(S\d+)\] (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]


def test_every_right_one_has_three_words_in_ten_that_its_passage_lacks(pairs: list[dict[str, Any]]) -> None:
    right = [row for row in pairs if row["label"] == "grounded"]
    assert len(right) >= 60
    assert len(pairs) - len(right) >= 60
    for row in right:
        known = {word.casefold() for word in WORD.findall(row["context"])}
        said = [word.casefold() for word in WORD.findall(row["response"])]
        assert sum(word not in known for word in said) >= 0.3 * len(said), row["response"]


def test_nine_in_ten_right_paraphrases_pass_and_no_wrong_one_does_with_a_judge_that_knows(
    sample: Service, pairs: list[dict[str, Any]]
) -> None:
    labels = {row["response"]: row["label"] == "grounded" for row in pairs}

    def knows(prompt: Prompt) -> Line:
        rows = SHOWN.findall(prompt.material)
        return {"verdicts": [{"sentence": id_, "verdict": "follows" if labels[text] else "does_not_follow"} for id_, text in rows]}

    chosen = sample.settings.assistant.model_copy(update={"chat_judge": "stand_in:knows", "chat_tokens_day": 0})
    settings = sample.settings.model_copy(update={"assistant": chosen})
    pens = judge(settings, sample.database, None, ScriptedModel(knows), sample.now)
    assert pens is not None
    means: Any = sample.assistant.means
    means = Means(**{**vars(means), "judge": pens, "supports": grounding(settings, means.encoders).check})
    kept: set[str] = set()
    for start in range(0, len(pairs), AT_ONCE):
        proof = proved(means, pairs[start : start + AT_ONCE], judging.supports(means, pens.pen(None, 30.0)))
        kept |= {claim.text for claim in proof.kept}
    right = {text for text, follows in labels.items() if follows}
    assert len(kept & right) >= 0.9 * len(right), right - kept
    assert not kept - right


def proved(means: Means, rows: list[dict[str, Any]], check: Any) -> Proof:
    """Sentences against the passage of each, as in an answer."""
    sources = {f"P{n}": CitedPassage(f"p{n}", *reversed(row["context"].split("\n", 1))) for n, row in enumerate(rows)}
    sentences = [Sentence(text=row["response"], passages=[f"P{n}"]) for n, row in enumerate(rows)]
    return prove(sentences, sources, means.guard, check)
