"""The exam grades the judge that an operator has configured, beside words and vectors alone."""

import json
import re
from dataclasses import replace
from pathlib import Path

from api.bootstrap import Service, judge
from assistant.chat_model import ModelTrouble, Prompt, Trouble
from assistant.stand_ins import Line, ScriptedModel
from evals import judging_exam, runner
from guardrails.checks.grounding import Statement, Support
from guardrails.drafts import CitedPassage
from tests.assistant.chat_server import serving
from tests.builders import settings_in

SHOWN = re.compile(r"^\[(S\d+)\]", re.MULTILINE)


def statements(count: int) -> list[Statement]:
    return [Statement(f"Sentence {n} is here.", (CitedPassage(f"p{n}", f"Sentence {n} is here."),)) for n in range(count)]


def judged_by(service: Service, *lines: Line) -> tuple[judging_exam.Judges, ScriptedModel]:
    model = ScriptedModel(*lines, name="judge-1")
    pens = judge(service.settings, service.database, None, model, service.now)
    lenient = replace(service.assistant, judge=pens, supports=lambda given: [Support(ok=True, score=0.9) for _ in given])
    found = judging_exam.judges(replace(service, assistant=lenient))
    assert found is not None
    return found, model


def all_follow(prompt: Prompt) -> Line:
    return {"verdicts": [{"sentence": id_, "verdict": "follows"} for id_ in SHOWN.findall(prompt.material)]}


def test_without_a_judge_there_is_nothing_to_grade(service: Service) -> None:
    assert judging_exam.judges(service) is None


def test_a_judge_reads_as_many_sentences_a_call_as_an_answer_has(service: Service) -> None:
    judges, model = judged_by(service, all_follow)
    assert [one.ok for one in judges.check(statements(14))] == [True] * 14
    assert [len(SHOWN.findall(prompt.material)) for prompt in model.prompts] == [6, 6, 2]
    assert judges.notes() == ("judged by judge-1; calls so far: 3 ok",)


def test_calls_that_fail_cut_their_sentences_and_are_counted(service: Service) -> None:
    judges, _ = judged_by(service, ModelTrouble(Trouble.REFUSED), all_follow)
    assert [one.ok for one in judges.check(statements(8))] == [False] * 6 + [True] * 2
    assert judges.notes() == ("judged by judge-1; calls so far: 1 ok, 1 refused",)


def test_own_pairs_are_graded_with_and_without_the_judge_of_the_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data")
    with serving() as stub:
        stub.text = json.dumps({"verdicts": []})
        chat = {"chat_judge": "openai:stub-2", "chat_judge_base_url": stub.url + "/v1"}
        named = settings.model_copy(update={"assistant": settings.assistant.model_copy(update=chat)})
        done = runner.run(runner.Run(runner.quoting(named), only=("own/languages",), cache=tmp_path / "cache", judged=named))
    sets = {one.name: one for one in done.sets}
    assert not done.troubles
    assert sets.keys() == {"own/languages", "judged/languages"}
    assert sets["judged/languages"].metrics["caught"].value == 1
    assert "judged by stub-2" in sets["judged/languages"].notes[0]
    assert {"caught", "good_cut"} <= sets["own/languages"].metrics.keys()
