"""Full-text search over tickets: SQLite's FTS5 or Postgres' text search, over one row of words per ticket."""

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, func, insert, literal_column, select, text, update
from sqlalchemy.orm import Session

from escalation.tables import Ticket, TicketText

WORD = re.compile(r"\w+", re.UNICODE)
MOST_WORDS = 12  # of a query; more narrow nothing down
MOST_CHARACTERS = 200_000  # of one ticket's words; the beginning of a longer transcript is kept
FIELDS = ("contact_name", "contact_email", "account", "goal", "symptom", "environment", "reason_text")

# The index over ticket_text is no part of the metadata: the migration makes it, for each kind of database its own.
INDEX_NAMES = ("ticket_words", "ix_ticket_text_words")
POSTGRES_INDEX = (
    "ALTER TABLE ticket_text ADD COLUMN ticket_words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED",
    "CREATE INDEX ix_ticket_text_words ON ticket_text USING gin (ticket_words)",
)
SQLITE_INDEX = (
    (
        "CREATE VIRTUAL TABLE ticket_words USING fts5"
        "(text, content='ticket_text', content_rowid='number', tokenize='unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE TRIGGER ticket_text_added AFTER INSERT ON ticket_text BEGIN"
        " INSERT INTO ticket_words(rowid, text) VALUES (new.number, new.text); END"
    ),
    (
        "CREATE TRIGGER ticket_text_gone AFTER DELETE ON ticket_text BEGIN"
        " INSERT INTO ticket_words(ticket_words, rowid, text) VALUES ('delete', old.number, old.text); END"
    ),
    (
        "CREATE TRIGGER ticket_text_changed AFTER UPDATE ON ticket_text BEGIN"
        " INSERT INTO ticket_words(ticket_words, rowid, text) VALUES ('delete', old.number, old.text);"
        " INSERT INTO ticket_words(rowid, text) VALUES (new.number, new.text); END"
    ),
)


def index(session: Session, ticket: Ticket, said: Iterable[str]) -> None:
    """Write the ticket's words anew: its number, its fields, and what was said (messages and notes)."""
    fields = (getattr(ticket, name) for name in FIELDS)
    every = "\n".join([str(ticket.number), *(f for f in fields if f), *ticket.error_texts, *ticket.tags, *said])[:MOST_CHARACTERS]
    words = " ".join(WORD.findall(every))  # both databases then cut it alike: Postgres would keep an address as one word
    changed = session.execute(update(TicketText).where(TicketText.number == ticket.number).values(text=words))
    if not changed.rowcount:  # type: ignore[attr-defined]  # the result of an update has it
        session.execute(insert(TicketText).values(number=ticket.number, ticket_id=ticket.id, text=words))


def numbers(session: Session, query: str) -> Select[int] | None:
    """A select of the numbers of tickets that hold every word of the query; None for a query without words.

    The last word may be a beginning, unless it is a single letter: a twentieth of all words begin with it.
    """
    words = WORD.findall(query)[:MOST_WORDS]
    if not words:
        return None
    begun = len(words[-1]) > 1
    if session.get_bind().dialect.name == "sqlite":
        match = " ".join(f'"{word}"' for word in words) + ("*" if begun else "")
        return (
            select(literal_column("rowid", type_=TicketText.number.type))
            .select_from(text("ticket_words"))
            .where(text("ticket_words MATCH :match").bindparams(match=match))
        )
    match = " & ".join([*words[:-1], f"{words[-1]}:*" if begun else words[-1]])
    vector: ColumnElement[str] = literal_column("ticket_text.ticket_words")
    return select(TicketText.number).where(vector.op("@@")(func.to_tsquery(literal_column("'simple'"), match)))
