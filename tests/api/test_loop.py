"""The knowledge loop's page and files, the stored lift behind them, and the command line's golden questions."""

import csv
import io
from datetime import timedelta

import pytest

from api import exporting
from api.bootstrap import Service
from api.charts import bars, whisker
from api.jobs.lifting import work
from api.library.loop import loop
from api.tables import StaffRole
from assistant import lifting
from assistant.tables import Conversation, Feedback, Message, Turn
from knowledge import golden
from knowledge.lift import Verdict
from knowledge.lift_tables import SuggestionLift
from knowledge.loop_tables import Gap, GapGroup, Suggestion
from tests.api.staffing import Colleague
from tests.builders import faq, publish

DAYS = 84
FORMULA = "=cmd|' /C calc'!A0"


def group(service: Service, name: str) -> GapGroup:
    now = service.now()
    return GapGroup(
        id=name, title=name, language="en", state="answered", size=9, people=9, recent=3, before=3, unresolved=1.0,
        agent_minutes=1.0, rank=1.0, purity=1.0, first_at=now, last_at=now, updated_at=now,
    )  # fmt: skip


def told(service: Service, *, title: str = "How long is the trial?") -> str:
    """A desk of 24 weeks: a group asked four times a day until its FAQ was accepted twelve weeks ago, and once a day since."""
    (done,) = publish(service, faq(title=title))
    now = service.now()
    accepted = now - timedelta(days=DAYS)
    with service.database.write() as session:
        session.add_all([group(service, "asked"), group(service, "other")])
        session.flush()
        session.add(
            Suggestion(
                id="s", kind="new", state="accepted", version=2, group_id="asked", article_id=done.article_id, others=[], language="en",
                title=title, body=[], text="", why="", wordings=[], similar=[], rank=1.0, size=9, people=9, decided_by="ada",
                decided_at=accepted, published_revision=1, created_at=accepted - timedelta(days=1), updated_at=accepted, expires_at=now,
            )
        )  # fmt: skip
        for day in range(-DAYS, DAYS):
            at = accepted + timedelta(days=day, hours=3)
            for n in range(20):
                name = f"c{day}-{n}"
                session.add(Conversation(id=name, secret_hash=name, created_at=at, updated_at=at))
            for n, of in enumerate(["asked"] * (4 if day < 0 else 1) + ["other"] * 8):
                session.add(
                    Gap(
                        id=f"{of}{day}-{n}", question="how long is the trial", kinds=["nothing_found"], weight=1.0, language="en", person=str(n),
                        conversation_id=f"c{day}-{n}", asked_id=str(n), group_id=of, at=at,
                    )
                )  # fmt: skip
    return str(done.article_id)


def test_a_suggestion_that_helped_is_measured_replayed_and_stored(service: Service) -> None:
    told(service)
    assert work(service, service.now()) == "1 suggestions measured, 0 confirmed questions kept"
    with service.database.read() as session:
        row = session.get_one(SuggestionLift, "s")
        found = loop(session, service.now(), timedelta(days=180))
    assert row.lift["verdict"] == Verdict.HELPED
    assert row.lift["ratio"] == pytest.approx(0.25, abs=0.02)
    assert row.replay["questions"] == 1
    assert row.replay["before"]["nothing"] == 1
    assert row.replay["after"]["nothing"] == 0
    (one,) = found.lifted
    assert one.avoided == pytest.approx(3 * DAYS, rel=0.1)
    assert "25 % as often as before" in one.words
    figures = {figure.name: figure.value for figure in found.figures}
    assert (figures["Accepted"], figures["Helped"]) == (1, 1)
    assert sum(week.gaps for week in found.weeks) == 9 * DAYS


def test_what_was_found_without_a_suggestion_is_kept_when_it_is_measured_again(service: Service) -> None:
    told(service)
    lifting.measure(service.assistant, now=service.now())
    with service.database.write() as session:
        row = session.get_one(SuggestionLift, "s")
        row.replay = row.replay | {"before": {"answered": 0, "offered": 0, "nothing": 7}}
    lifting.measure(service.assistant, now=service.now())
    with service.database.read() as session:
        assert session.get_one(SuggestionLift, "s").replay["before"]["nothing"] == 7


def test_a_thumb_up_makes_a_golden_question_that_blocks_nothing(service: Service) -> None:
    (done,) = publish(service, faq())
    now = service.now()
    with service.database.write() as session:
        session.add(Conversation(id="c", secret_hash="c", created_at=now, updated_at=now))
        session.flush()
        session.add(Message(id=1, conversation_id="c", role="visitor", text="trial?", at=now))
        session.add(Message(id=2, conversation_id="c", role="assistant", text="14", content={"sources": [{"article_id": done.article_id}], "outcome": "answered_faq"}, at=now))
        session.flush()
        session.add(Turn(id="t", conversation_id="c", message_id=1, reply_id=2, state="done", lease_until=now, outcome="answered_faq", question="trial? mail me at eve@example.com", started_at=now))
        session.add(Feedback(message_id=2, conversation_id="c", helpful=True, at=now))
    assert lifting.confirm(service.assistant, since=now - timedelta(days=1), now=now) == 1
    with service.database.read() as session:
        (kept,) = golden.listed(session)
        assert (kept.protected, kept.origin, kept.article_id) == (False, "confirmed", done.article_id)
        assert "eve@example.com" not in kept.question


def test_the_page_tells_numbers_with_definitions_and_draws_without_styles_or_scripts(service: Service) -> None:
    told(service, title="<b>How long & why?</b>")
    work(service, service.now())
    page = Colleague.arrives(service, StaffRole.WRITER).get("/library/loop")
    assert page.status_code == 200
    assert "Helped" in page.text
    assert "&lt;b&gt;How long &amp; why?&lt;/b&gt;" in page.text
    assert "<svg" in page.text
    assert " style=" not in page.text
    assert "Tickets avoided" in page.text
    assert "minus those that came" in page.text


def test_exports_hold_the_same_numbers_and_no_formula(service: Service) -> None:
    told(service, title=FORMULA)
    work(service, service.now())
    writer = Colleague.arrives(service, StaffRole.WRITER)
    table, data = writer.get("/library/loop.csv"), writer.get("/library/loop.json")
    (row,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert table.headers["content-disposition"] == 'attachment; filename="loop.csv"'
    assert row["title"] == "'" + FORMULA
    assert float(row["ratio"]) == data.json()["suggestions"][0]["ratio"]
    assert data.json()["suggestions"][0]["title"] == FORMULA


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0", " =", "\n@"])
def test_a_cell_that_starts_like_a_formula_is_text(start: str) -> None:
    assert str(exporting.cell(f"{start}1+1")).startswith("'")
    assert "\0" not in str(exporting.cell(f"{start}1+1"))


def test_numbers_and_plain_words_stay_as_they_are() -> None:
    assert [exporting.cell(value) for value in (-1.5, 3, None, "a-b", "")] == [-1.5, 3, "", "a-b", ""]


def test_bars_and_whiskers_stand_inside_their_frames() -> None:
    drawn = bars([("a", 4, 2), ("b", 0, 0)])
    assert drawn[0].height == 2 * drawn[0].inner_height
    assert drawn[1].height == 0
    line = whisker(0.001, 0.5, None)
    assert line is not None
    assert (line.low, line.high, line.open) == (0.0, 100.0, True)
    assert whisker(None, None, None) is None
