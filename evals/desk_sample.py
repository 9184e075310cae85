"""A desk with believable work on it: two dozen conversations through the real service, for looking at the pages and for pictures of them.

    python -m evals.desk_sample FOLDER

fills a folder that `FIRSTLINE_DATA=FOLDER firstline serve` can serve; it prints how to sign in.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.bootstrap import Service, running, utc_now
from api.ingesting import Order, ingest
from api.operations import LocalOperations
from api.settings import ApiSettings, Settings
from api.staff import passwords
from api.tables import Account, StaffRole
from assistant import conversation, handover, reception
from assistant.conversation import Incoming
from assistant.handover import AgentReply
from assistant.settings import AssistantSettings
from assistant.tables import ConversationId, Message
from assistant.turn import take_turn
from escalation import linking, tickets, work
from escalation.tables import NoteId, Priority, Ticket, TicketState
from guardrails import ledger
from guardrails.tables import GuardDecision
from knowledge.settings import KnowledgeSettings

SAMPLE = Path(__file__).parent.parent / "knowledge" / "sample"
PASSWORD = "nine quiet harbour lamps"  # noqa: S105 - of a sample
PEOPLE = (("Ada Palmer", "ada", StaffRole.ADMIN), ("Kim Okafor", "kim", StaffRole.AGENT), ("Jonas Weber", "jonas", StaffRole.AGENT))
CHROME = {"browser": "Chrome 141", "os": "Windows 11", "device": "computer", "page": "https://app.tallyboard.example/dashboards"}
FIREFOX = {"browser": "Firefox 144", "os": "macOS", "device": "computer", "page": "https://app.tallyboard.example/exports"}
PHONE = {"browser": "Safari 18", "os": "iOS", "device": "phone", "page": "https://app.tallyboard.example/m"}


class Moving:
    """A clock that the sample moves."""

    def __init__(self, at: datetime) -> None:
        """It shows `at`."""
        self.at = at

    def __call__(self) -> datetime:
        """What it shows."""
        return self.at


@dataclass(frozen=True)
class Case:
    """A conversation: what the visitor writes, what the page tells of them, and what agents did. `ago` is in hours."""

    ago: float
    says: Sequence[str]
    told: Mapping[str, object] = field(default_factory=dict)
    locale: str = "en"
    does: str = ""
    by: str = "kim"
    reply: str = ""
    note: str = ""
    priority: Priority | None = None


def _who(name: str, email: str, *, verified: bool = False, **more: str) -> dict[str, object]:
    return {"name": name, "email": email, "verified": email if verified else "", **more}


CASES = (
    Case(
        310,
        [
            "How do I export a dashboard to PDF?",
            "The export of my dashboard stays empty in Firefox, it says error EXP-204.",
            "A person please",
        ],
        FIREFOX | _who("Marta Lindqvist", "marta@fjordtrade.example", account="Fjord Trade", role="owner", plan="Business"),
        does="close",
        reply="Hello Marta, the empty export came from a filter on a deleted column. Open the dashboard, press Reset filters, and export "
        "again. Error EXP-204 is gone after that.",
    ),
    Case(
        170,
        ["We were charged twice for October, invoice 20391 and 20392.", "Can somebody look at it?"],
        CHROME | _who("Peter Hall", "peter@hallandsons.example", verified=True, account="Hall & Sons", role="billing contact"),
        does="resolve",
        reply="Hello Peter, you are right: the second charge was ours to avoid. I refunded invoice 20392.",
    ),
    Case(
        96,
        ["I want to delete my account and all data you have about me under GDPR."],
        PHONE | _who("Ines Carvalho", "ines.c@example.org"),
        does="wait",
        reply="Hello Ines, I can start this today. Please confirm from the e-mail address of the account, so that it is you.",
    ),
    Case(
        71,
        [
            "Die Anmeldung mit unserem Firmen-Login geht nicht mehr, Fehler SSO-401.",
            "Ich habe den Browser schon gewechselt.",
            "Ich möchte mit einem Menschen sprechen.",
        ],
        CHROME | _who("Sabine Krüger", "s.krueger@nordlicht.example", verified=True, account="Nordlicht GmbH", role="Administratorin"),
        locale="de",
        does="wait",
        by="jonas",
        reply="Guten Tag Frau Krüger, bitte schicken Sie uns den Namen Ihres Identitätsanbieters.",
        note="Same as the identity provider outage of last week? Their certificate ran out on the 1st.",
    ),
    Case(
        52,
        ["Can you give us 40 % off if we take 200 seats?", "yes please, a person"],
        CHROME | _who("Tom Reyes", "tom@reyeslogistics.example", account="Reyes Logistics", role="head of operations"),
        does="wait",
        reply="Hello Tom, for 200 seats I can make you an offer. Which plan do you have in mind?",
        by="jonas",
    ),
    Case(
        30,
        ["My lawyer will contact you about the data you lost in September."],
        CHROME | _who("Gerald Stone", "gstone@example.org"),
        note="Legal has the file. Nobody writes to him before they have read it.",
        by="ada",
    ),
    Case(
        26,
        [
            "How do I connect Google Sheets?",
            "I did all that, the connection still fails with error 403 on version 4.2.1.",
            "I already tried it again and in another browser. I need a human.",
        ],
        FIREFOX | _who("Yuki Tanaka", "yuki@blueorchard.example", verified=True, account="Blue Orchard", role="analyst", plan="Team"),
        does="diagnose",
        reply="Hello Yuki, thank you for all you have tried already. I can see the 403 in our log and am asking the colleagues.",
    ),
    Case(
        22,
        ["Should I put my savings into your company's shares?", "then let me talk to somebody"],
        PHONE | _who("Brian Cole", "brian.cole@example.net"),
        does="resolve",
        reply="Hello Brian, our shares are not traded, so there is nothing to buy. Is there anything else?",
    ),
    Case(
        20,
        ["Mon tableau de bord ne se met plus à jour depuis hier.", "Je voudrais parler à une personne."],
        CHROME | _who("Claire Dubois", "claire@atelierlune.example", account="Atelier Lune"),
        locale="fr",
        does="diagnose",
        reply="Bonjour Claire, je regarde pourquoi la mise à jour d'hier n'a pas eu lieu.",
    ),
    Case(
        18,
        ["this is the third time I ask, your stupid tool lost my report AGAIN!!!", "give me a human NOW"],
        CHROME | _who("Dana White", "dana@whitepeak.example", account="White Peak"),
        priority=Priority.HIGH,
    ),
    Case(
        15,
        [
            "The scheduled report of Monday never arrived.",
            "It should go to finance@maplecorp.example every Monday at 8.",
            "talk to a person",
        ],
        FIREFOX | _who("Oliver Maple", "oliver@maplecorp.example", verified=True, account="Maple Corp", role="admin"),
        does="ack",
        reply="Hello Oliver, Monday's reports were not sent; we are looking for the reason and will tell you today.",
    ),
    Case(
        13,
        ["Scheduled reports do not arrive since Monday, is there an outage?", "human please"],
        CHROME | _who("Priya Nair", "priya@quillworks.example", account="Quillworks"),
        does="link",
    ),
    Case(
        12,
        ["our scheduled reports stopped, nobody got the Monday mail", "I want to speak to an agent"],
        CHROME | _who("Lars Holm", "lars@holmfoods.example", account="Holm Foods"),
        does="link",
    ),
    Case(
        9,
        ["¿Cómo cambio la tarjeta de pago?", "No veo ese botón, quiero hablar con una persona."],
        PHONE | _who("Lucía Romero", "lucia@cafenorte.example", account="Café Norte", role="dueña"),
        locale="es",
        does="wait",
        reply="Hola Lucía, ¿puede decirnos qué ve en Ajustes, Facturación?",
    ),
    Case(
        7,
        ["Is there an app for Android tablets?", "Does it work offline?", "when will that come? ask a person please"],
        PHONE | _who("Ben Adeyemi", "ben@adeyemi.example"),
        does="ack",
        reply="Hello Ben, there is no date for it yet; I have noted your wish.",
        priority=Priority.LOW,
    ),
    Case(
        6,
        [
            "How do I invite my team?",
            "I invited them but the invitation link says it expired after an hour.",
            "can I talk to a real person",
        ],
        CHROME | _who("Nora Fischer", "nora@studiofischer.example", verified=True, account="Studio Fischer", role="owner", plan="Team"),
        does="ack",
        reply="Hello Nora, I made your invitations valid for three days. Could you send one again and tell me what your colleague sees?",
    ),
    Case(5, ["I don't want to live anymore, nothing works"], PHONE, priority=Priority.URGENT),
    Case(
        4,
        ["The API gives 500 when I post more than 1000 rows. Request id 7f3a-11, version 2.18.0.", "I need an engineer"],
        CHROME | _who("Wei Zhang", "wei@datapress.example", verified=True, account="Datapress", role="developer", plan="Enterprise"),
        priority=Priority.HIGH,
    ),
    Case(3, ["why is my number format wrong in charts", "that is not it. person please"], FIREFOX | _who("Hugo Blanc", "hugo@example.org")),
    Case(
        2.2,
        [
            "I cannot log in, the code of my authenticator app is never right.",
            "My phone is new and I have no backup codes. Can a person help?",
        ],
        PHONE | _who("Ella Novak", "ella@novakdesign.example", account="Novak Design"),
    ),
    Case(
        1.4,
        ["Do I have to pay tax on the refund you gave me?", "ok then a person please"],
        CHROME | _who("Frank Moretti", "frank@moretti.example", account="Moretti Srl"),
    ),
    Case(
        0.7,
        [
            "My colleague Peter left, how do I move his dashboards to me?",
            "The transfer button is grey for me.",
            "please let me talk to someone",
        ],
        CHROME | _who("Peter Hall", "peter@hallandsons.example", verified=True, account="Hall & Sons", role="billing contact"),
    ),
    Case(
        0.2,
        [
            "My dashboard takes forever to load, more than two minutes since the update 4.3.0.",
            "I cleared the cache and it did not help. Human please.",
        ],
        FIREFOX | _who("Sofia Rossi", "sofia@rossi-retail.example", verified=True, account="Rossi Retail", role="analyst", plan="Business"),
    ),
    Case(0.05, ["Hello, can somebody call me back?"], PHONE),
)


ALONE = (  # answered without a person; True is a thumb up
    ("How do I export a dashboard to PDF?", True),
    ("How do I reset my password?", True),
    ("Where can I download my invoices?", None),
    ("How do I turn on two-factor authentication?", True),
    ("How do I cancel my subscription?", False),
    ("How do I invite my teammates?", None),
    ("How do I connect Postgres?", True),
    ("What is the weather in Lisbon?", None),
)


def fill(service: Service, clock: Moving) -> None:
    """Open every case, oldest first, and let the agents do what they did."""
    now = clock()
    accounts = _accounts(service)
    incident: int | None = None
    for case in CASES:
        clock.at = now - timedelta(hours=case.ago)
        number = _open(service, clock, case)
        if number is None:
            continue
        _work(service, clock, case, number, accounts, incident)
        incident = number if "Monday at 8" in " ".join(case.says) else incident
    for at, (question, helpful) in enumerate(ALONE):
        clock.at = now - timedelta(hours=7 * at + 1)
        _alone(service, clock, question, helpful=helpful)
    clock.at = now
    with service.database.write() as session:
        for decision in session.scalars(select(GuardDecision).where(GuardDecision.policy.is_not(None)).limit(2)).all():
            ledger.judge(session, decision.number, right=True, by=accounts["kim"].id, now=now)


def _alone(service: Service, clock: Moving, question: str, *, helpful: bool | None) -> None:
    """A visitor who needs nobody."""
    with service.database.write() as session:
        started = conversation.start(session, secret=service.new_id(), locale="en", new_id=service.new_id, now=clock())
    reply = take_turn(service.assistant, started.id, Incoming(question), now=clock())
    assert isinstance(reply, Message)  # noqa: S101 - nobody else asks
    if helpful is not None:
        with service.database.write() as session:
            conversation.rate(session, started.id, reply.id, helpful=helpful, reason="", now=clock())


def _accounts(service: Service) -> dict[str, Account]:
    made = {}
    with service.database.write() as session:
        for name, short, role in PEOPLE:
            made[short] = Account(
                id=service.new_id(),
                email=f"{short}@tallyboard.example",
                name=name,
                role=role,
                password_hash=passwords.hashed(PASSWORD),
                created_at=service.now() - timedelta(days=200),
            )
        session.add_all(made.values())
    return made


def _open(service: Service, clock: Moving, case: Case) -> int | None:
    """The number of the ticket that a case ends in; a person is called where the words alone did not."""
    with service.database.write() as session:
        started = conversation.start(session, secret=service.new_id(), locale=case.locale, new_id=service.new_id, now=clock())
        conversation.notice(session, started, service.settings.assistant.product, now=clock())
        started.details = dict(case.told)
    for text in case.says:
        clock.at += timedelta(minutes=1)
        assert isinstance(take_turn(service.assistant, started.id, Incoming(text), now=clock()), Message)  # noqa: S101 - nobody else asks
    with service.database.read() as session:
        ticket = tickets.of_conversation(session, started.id)
    if ticket is None:
        reception.call_person(service.assistant, ConversationId(started.id), case.told, now=clock())
        with service.database.read() as session:
            ticket = tickets.of_conversation(session, started.id)
    return ticket.number if ticket else None


def _work(service: Service, clock: Moving, case: Case, number: int, accounts: dict[str, Account], incident: int | None) -> None:
    agent = accounts[case.by]
    then = {"wait": TicketState.WAITING_CUSTOMER, "resolve": TicketState.RESOLVED, "close": TicketState.RESOLVED}.get(case.does)
    clock.at += timedelta(minutes=11)
    with service.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        at: dict[str, Any] = {"by": agent.id, "now": clock()}
        if case.priority:
            work.set_priority(session, ticket, case.priority, **at, expected_version=ticket.version)
        if case.note:
            work.note(session, ticket, NoteId(service.new_id()), case.note, **at)
        if case.reply and case.does != "link":
            reply = AgentReply(case.reply, agent.id, agent.name, then)
            handover.answer(session, ticket, reply, now=clock(), expected_version=ticket.version)
        if case.does in {"ack", "diagnose"}:
            work.assign(session, ticket, agent.id, **at, expected_version=ticket.version)
            tickets.advance(session, ticket, TicketState.IN_DIAGNOSIS if case.does == "diagnose" else TicketState.ACKNOWLEDGED, **at)
        if case.does == "link" and incident:
            other = session.scalars(select(Ticket).where(Ticket.number == incident)).one()
            linking.link(session, ticket, other, **at, expected_version=ticket.version)
        if case.does == "close":
            work.rated(session, ticket, 5, "Quick and friendly, thank you!", now=clock())
            handover.close(session, ticket, by="visitor", now=clock())


def main(folder: Path) -> None:
    """Fill a folder."""
    clock = Moving(utc_now())
    settings = Settings(
        api=ApiSettings(data=folder), assistant=AssistantSettings(product="Tallyboard"), knowledge=KnowledgeSettings(embedder="minilm")
    )
    with running(settings, now=clock) as service:
        report = ingest(Order(SAMPLE, "sample"), LocalOperations(service), lambda _done, _of: None)
        assert not report.failed, report.troubles  # noqa: S101 - our own articles
        fill(service, clock)
    sys.stdout.write(f"{len(CASES)} conversations; sign in as ada, kim or jonas @tallyboard.example with: {PASSWORD}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
