"""What a visitor may see of their ticket, wherever they look: in the widget's panel or on the status page."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from assistant import handover
from assistant.tables import Conversation, Message
from assistant.wording import say, shipped, words
from escalation.tables import Ticket, TicketState


@dataclass(frozen=True)
class OwnTicket:
    """The last ticket of a conversation; `queue` in words, `wanted` are the fields that were asked for and are still unknown.

    `mail` is `works` when answers come by e-mail, too, `waits` while the address is not confirmed.
    """

    number: int
    state: str
    queue: str
    rating: int | None
    wanted: tuple[str, ...]
    mail: str = ""

    @property
    def living(self) -> bool:
        """Whether a person still has the conversation."""
        return self.state != TicketState.CLOSED


def own_ticket(session: Session, held: Conversation, language: str = "") -> OwnTicket | None:
    """The last ticket of a conversation, closed or not; None without one."""
    ticket = handover.last_ticket(session, held)
    if ticket is None:
        return None
    spoken = shipped(language or held.locale)
    told = handover.handed(session, held.id)
    questions = told.content["handover"]["questions"] if told else []
    wanted = tuple(name for question in questions for name in question["fields"] if not _known(ticket, name))
    mail = ("works" if ticket.contact_verified else "waits") if ticket.contact_email else ""
    return OwnTicket(ticket.number, ticket.state, words("queues", spoken).get(ticket.queue, ticket.queue), ticket.rating, wanted, mail)


def shown_text(message: Message) -> str:
    """The message without the questions of a handover: they stand in its form."""
    if not message.content.get("handover"):
        return message.text
    return message.text.partition("\n\n" + say("handover_questions", str(message.content.get("language", ""))))[0]


def _known(ticket: Ticket, name: str) -> bool:
    if name == "contact":
        return bool(ticket.contact_email)
    if name == "environment":
        return bool(ticket.environment or ticket.browser or ticket.device or ticket.app_version)
    return bool(getattr(ticket, name, None))
