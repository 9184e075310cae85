"""Wordings that found the right FAQ, as visitors say: a thumb up on its answer, whether it was found or picked among choices.

One person's word is not enough to change what others are answered; two different people must have confirmed the FAQ, so that nobody
teaches it nonsense alone, and each has one voice: nobody fills a FAQ with wordings of their own.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.gist import gist
from assistant.tables import Feedback, Message, Outcome, Turn
from knowledge import drafting
from knowledge.drafting import Told

PEOPLE = 2


def confirmed(session: Session, since: datetime, mask: Callable[[str], str]) -> dict[str, list[str]]:
    """By article the masked wordings under which people found it, since a moment; of FAQs answered as a whole. May be read again."""
    up = select(Feedback.message_id).where(Feedback.at > since, Feedback.helpful)
    query = select(Turn, Message).join(Message, Message.id == Turn.reply_id)
    query = query.where(Turn.reply_id.in_(up), Turn.outcome == Outcome.ANSWERED_FAQ).order_by(Turn.started_at)
    asked: dict[str, dict[str, Told]] = {}
    for turn, reply in session.execute(query).all():
        sources = reply.content.get("sources") or []
        if len(sources) == 1 and turn.question:
            told = Told(str(turn.message_id), turn.conversation_id, turn.conversation_id, mask(gist(turn.question)))
            asked.setdefault(sources[0]["article_id"], {}).setdefault(told.person, told)
    found: dict[str, list[str]] = {}
    for article_id, by_person in asked.items():
        wordings = list(by_person.values())
        if len(wordings) >= PEOPLE:
            shared = drafting.agreed(wordings, (), mask, "en")
            if clean := [text for one in wordings if (text := drafting.scrubbed(one.text, shared))]:
                found[article_id] = list(dict.fromkeys(clean))
    return found
