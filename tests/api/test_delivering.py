"""What happens to tickets reaches people: by a real mail server and a real web server, some of which fail, hang, throttle and hang up (R-04)."""

import json
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from standardwebhooks.webhooks import Webhook as Receiver

from api.bootstrap import Service, running_without_index, utc_now
from api.jobs import clocks
from api.messages import delivering, telling, webhooks
from api.messages.channels import Channels
from api.messages.guarded import Answer, Internal, Limits, Poster
from api.messages.mailing import BadAddress, Letter, Mailer, NotSent, address_of
from api.messages.tables import Follow, Unwanted, Webhook, WebhookFormat
from api.messages.webhooks import Wanted
from api.tables import Account, StaffRole, TicketSeen
from assistant.tables import Conversation, Holder
from escalation import outbox, tickets, work
from escalation.fields import Fields
from escalation.outbox_tables import Delivery, DeliveryState, Outbox, Way
from escalation.tables import FAR, Priority, Reason, Ticket, TicketClock, TicketId, TicketState
from escalation.tickets import Opening
from tests.api.sinks import PUBLIC, SENDER, Mailbox, hook, mailbox, settings_with, signing_in
from tests.api.staffing import account_of
from tests.builders import Clock

SECRET = webhooks.secret_of(b"0123456789abcdef0123456789abcdef")
HOURS_80 = timedelta(hours=80)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, clock: Clock, prepared_sqlite: Path, box: Mailbox) -> Iterator[Service]:
    """A service that sends mail to the mailbox; nothing of it needs the index."""
    (tmp_path / "data").mkdir()
    shutil.copy(prepared_sqlite, tmp_path / "data")
    with running_without_index(settings_with(tmp_path / "data", box), now=clock) as service:
        yield replace(service, chance=lambda: 0.5)


def hooked(service: Service, url: str, **more: Any) -> Webhook:
    with service.database.write() as session:
        wanted = Wanted("Chat", url, **more)
        return webhooks.add(session, wanted, Internal.of("127.0.0.1"), new_id=service.new_id(), secret=SECRET, by="x", now=service.now())


def quick(service: Service, seconds: float = 0.5) -> Service:
    """The service with less patience for receivers."""
    return replace(service, channels=Channels(service.channels.mailer, Poster(Internal.of("127.0.0.1"), Limits(seconds))))


def opened(service: Service, queue: str = "billing") -> Ticket:
    name = service.new_id()
    with service.database.write() as session:
        held = Conversation(
            id=name, secret_hash=name, holder=Holder.PERSON, locale="en", created_at=service.now(), updated_at=service.now()
        )
        session.add(held)
        session.flush()
        opening = Opening(name, Reason.ASKED, "asked", queue, "en", Fields(goal="a secret wish"), [], priority=Priority.HIGH)
        return tickets.open_ticket(session, opening, TicketId(name), by="assistant", now=service.now())


def wrote(service: Service, ticket: Ticket, times: int = 1) -> None:
    for number in range(times):
        with service.database.write() as session:
            work.visitor_wrote(session, tickets.get(session, ticket.id), str(number), now=service.now())


def assigned(service: Service, ticket: Ticket, to: Account, by: str = "somebody") -> None:
    with service.database.write() as session:
        found = tickets.get(session, ticket.id)
        work.assign(session, found, to.id, by=by, now=service.now(), expected_version=found.version)


def run(service: Service) -> tuple[str, str, str]:
    """One run of every job of the outbox."""
    return (
        delivering.spread(service, service.now()),
        delivering.send_mail(service, service.now()),
        delivering.call_webhooks(service, service.now()),
    )


def run_out(service: Service, clock: Clock, lasting: timedelta = HOURS_80) -> None:
    """Run whenever something is due until nothing is, or the time is over."""
    until = clock.at + lasting
    while clock.at < until:
        run(service)
        with service.database.read() as session:
            waiting = session.scalars(select(Delivery.next_at).where(Delivery.state == DeliveryState.WAITING)).all()
            rests = session.scalars(select(Webhook.rests_until).where(Webhook.rests_until > clock.at)).all()
            leases = session.scalars(select(Delivery.leased_until).where(Delivery.leased_until > clock.at)).all()
        if not waiting:
            return
        clock.at = max(clock.at + timedelta(seconds=1), min([*waiting, *rests, *leases]))


def subjects(box: Mailbox) -> list[str]:
    """What the letters are about, without the numbers of tickets."""
    return [letter["Subject"].rpartition("] ")[2] for letter in box.letters]


def forget_clocks(service: Service) -> None:
    """As a database of before there were clocks is after its upgrade."""
    with service.database.write() as session:
        session.execute(delete(TicketClock))
        session.execute(update(Ticket).values(clock_book="", next_clock="", clock_state="", next_due_at=FAR, chain="", tier=0))


def deliveries(service: Service) -> list[Delivery]:
    with service.database.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))


def followed(service: Service, account: Account, what: str) -> None:
    with service.database.write() as session:
        session.add(Follow(account_id=account.id, what=what))


# ── whom ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_ticket_tells_who_follows_its_queue_and_nobody_else(desk: Service, box: Mailbox) -> None:
    follower, other, writer = account_of(desk), account_of(desk), account_of(desk, StaffRole.WRITER)
    followed(desk, follower, "queue billing")
    followed(desk, writer, "queue billing")
    followed(desk, other, "queue legal")
    ticket = opened(desk)
    assert run(desk)[:2] == ("1 events, 1 messages", "1 sent, 0 failed")
    letter = box.letters[0]
    assert box.recipients == [follower.email]
    assert letter["Subject"] == f"[{ticket.number}] New ticket"
    assert letter["From"] == SENDER
    assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert letter["Message-ID"] == f"<{deliveries(desk)[0].id}@tallyboard.example>"
    assert "/staff/account#messages" in letter["List-Unsubscribe"]
    text = letter.get_content()
    assert f"https://help.example.com/desk/tickets/{ticket.number}" in text
    assert "a secret wish" not in text


def test_who_is_given_a_ticket_hears_it_and_then_what_the_visitor_writes(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    ticket = opened(desk)
    assigned(desk, ticket, agent)
    wrote(desk, ticket)
    run(desk)
    assert [letter["Subject"] for letter in box.letters] == [
        f"[{ticket.number}] Ticket given to you",
        f"[{ticket.number}] The visitor wrote",
    ]
    assert len({letter["References"] for letter in box.letters}) == 1


def test_many_messages_in_a_row_are_one_mail_until_the_agent_does_something(desk: Service, box: Mailbox, clock: Clock) -> None:
    agent = account_of(desk)
    ticket = opened(desk)
    assigned(desk, ticket, agent)
    run(desk)
    for _ in range(5):
        wrote(desk, ticket)
        clock.move(60)
        run(desk)
    assert subjects(box) == ["Ticket given to you", "The visitor wrote"]
    with desk.database.write() as session:
        found = tickets.get(session, ticket.id)
        work.replied(session, found, "7", by=agent.id, now=desk.now(), expected_version=found.version)
    wrote(desk, ticket, 2)
    run(desk)
    assert subjects(box)[2:] == ["The visitor wrote"]
    clock.at += telling.MAILED_AGAIN
    wrote(desk, ticket, 2)
    run(desk)
    assert subjects(box)[3:] == ["The visitor wrote"], "hours later it is said once more"
    other = account_of(desk)
    assigned(desk, ticket, other)
    wrote(desk, ticket)
    run(desk)
    assert subjects(box)[4:] == ["Ticket given to you", "The visitor wrote"]


def test_what_the_agent_has_read_is_no_mail_and_what_comes_then_is(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    ticket = opened(desk)
    assigned(desk, ticket, agent)
    wrote(desk, ticket)
    with desk.database.write() as session:
        read = tickets.get(session, ticket.id).version
        session.add(TicketSeen(account_id=agent.id, ticket_id=ticket.id, version=read))
    run(desk)
    assert subjects(box) == ["Ticket given to you"]
    wrote(desk, ticket, 2)
    run(desk)
    assert subjects(box)[1:] == ["The visitor wrote"]


def test_thanks_are_no_mail_and_a_ticket_opened_again_is_one(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    ticket = opened(desk)
    assigned(desk, ticket, agent)
    with desk.database.write() as session:
        found = tickets.get(session, ticket.id)
        tickets.advance(session, found, TicketState.RESOLVED, by=agent.id, now=desk.now())
        work.visitor_wrote(session, found, "1", now=desk.now(), smalltalk=True)
    run(desk)
    assert subjects(box) == ["Ticket given to you"]
    with desk.database.write() as session:
        found = tickets.get(session, ticket.id)
        tickets.reopen(session, found, by=work.VISITOR, now=desk.now(), expected_version=found.version)
        work.visitor_wrote(session, found, "2", now=desk.now())
    run(desk)
    assert subjects(box)[1:] == ["Ticket opened again"]


def test_what_was_late_before_clocks_were_kept_is_one_mail_a_day_for_each_agent(desk: Service, box: Mailbox, clock: Clock) -> None:
    """An upgrade: open tickets that are days old, whose clocks nobody has told yet."""
    follower, owner, lead, other = (account_of(desk) for _ in range(4))
    followed(desk, follower, "queue billing")
    followed(desk, lead, "tier Sales account executive")
    with hook() as sink:
        made = [opened(desk) for _ in range(6)]
        assigned(desk, made[0], owner)
        run(desk)
        box.letters.clear()
        asked = len(sink.got)
        hooked(desk, sink.url)
        forget_clocks(desk)
        clock.at += timedelta(days=9)
        assert clocks.run(desk.database, clock.at).endswith("18 late already, 6 told anew")
        run(desk)
        assert (subjects(box), len(sink.got)) == ([], asked), "nobody is told of each"
        clock.at += outbox.COLLECTS
        run(desk)
        assert clocks.run(desk.database, clock.at) == "0 warned, 0 breached, 0 escalated"
        run_out(desk, clock, timedelta(hours=1))
    told = {letter["To"]: letter["Subject"] for letter in box.letters}
    assert told == {follower.email: "6 tickets are late", owner.email: "1 ticket is late", lead.email: "6 tickets are late"}
    assert len(box.letters) == 3
    assert other.email not in told
    assert f"{PUBLIC}/desk" in box.texts()[0]


def test_the_mail_that_sums_up_says_nothing_when_nothing_is_late_any_more(desk: Service, box: Mailbox, clock: Clock) -> None:
    agent = account_of(desk)
    ticket = opened(desk)
    assigned(desk, ticket, agent)
    run(desk)
    forget_clocks(desk)
    clock.at += timedelta(days=9)
    clocks.run(desk.database, clock.at)
    run(desk)
    with desk.database.write() as session:
        found = tickets.get(session, ticket.id)
        tickets.advance(session, found, TicketState.RESOLVED, by=agent.id, now=desk.now())
    clock.at += outbox.COLLECTS
    run(desk)
    assert subjects(box) == ["Ticket given to you"]


def test_nobody_is_told_of_what_they_did_themselves_or_do_not_want_or_when_they_left(desk: Service, box: Mailbox) -> None:
    myself, quiet, gone = account_of(desk), account_of(desk), account_of(desk)
    with desk.database.write() as session:
        session.add(Unwanted(account_id=quiet.id, choice="assigned"))
        session.get_one(Account, gone.id).disabled_at = desk.now()
    for account in (myself, quiet, gone):
        assigned(desk, opened(desk), account, by=myself.id)
    assert run(desk)[1] == "0 sent, 0 failed"
    assert box.letters == []


def test_who_is_disabled_after_the_mail_was_written_down_does_not_get_it(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    assigned(desk, opened(desk), agent)
    delivering.spread(desk, desk.now())
    with desk.database.write() as session:
        session.get_one(Account, agent.id).disabled_at = desk.now()
    run(desk)
    assert (box.letters, [one.state for one in deliveries(desk)]) == ([], [DeliveryState.DROPPED])


def test_without_a_mail_server_nothing_piles_up(desk: Service) -> None:
    silent = replace(desk, channels=Channels(None, desk.channels.poster))
    assigned(silent, opened(silent), account_of(silent))
    assert run(silent) == ("2 events, 0 messages", "no mail server is set", "0 sent, 0 failed")
    assert deliveries(silent) == []


# ── mail ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_server_that_refuses_for_now_gets_the_same_mail_later(desk: Service, box: Mailbox, clock: Clock) -> None:
    box.answers = ["451 later", "hang", "hang up", "taken, then hang up"]
    assigned(desk, opened(desk), account_of(desk))
    run_out(desk, clock)
    assert [one.state for one in deliveries(desk)] == [DeliveryState.SENT]
    assert (len(box.tries), len(set(box.tries))) == (5, 1)
    assert len(box.letters) == 2  # taken, but the server hung up before it said so: sent again, with the same Message-ID
    assert len({letter["Message-ID"] for letter in box.letters}) == 1


def test_a_mail_that_is_refused_for_good_is_given_up_at_once_and_stops_no_other(desk: Service, box: Mailbox) -> None:
    bad, good = account_of(desk, email="bad@example.com"), account_of(desk, email="good@example.com")
    box.to = {"bad@example.com": "550 no such person"}
    for account in (bad, good):
        assigned(desk, opened(desk), account)
    assert run(desk)[1] == "1 sent, 1 failed"
    assert box.recipients == ["good@example.com"]
    dead = next(one for one in deliveries(desk) if one.state == DeliveryState.DEAD)
    assert dead.error == "the server refuses the recipient (550)"
    assert "example.com" not in dead.error


def test_a_poison_mail_that_breaks_the_connection_delays_others_by_one_run(desk: Service, box: Mailbox, clock: Clock) -> None:
    for _ in range(3):
        assigned(desk, opened(desk), account_of(desk))
    box.answers = ["hang up"]
    run(desk)
    assert box.letters == []
    clock.move(2)
    run(desk)
    assert len(box.letters) == 2
    clock.move(10)
    run(desk)
    assert len(box.letters) == 3


def test_a_receiver_whose_answer_cannot_be_read_is_tried_again_like_any_other(desk: Service, clock: Clock) -> None:
    def broken(url: str, headers: Any, body: bytes) -> Answer:
        raise LookupError("something new")

    with hook() as receiver:
        hooked(desk, receiver.url)
        opened(desk)
        poster = Poster(Internal.of("127.0.0.1"))
        object.__setattr__(poster, "post", broken)
        assert run(replace(desk, channels=Channels(desk.channels.mailer, poster)))[2] == "0 sent, 1 failed"
        clock.move(10)
        assert run(quick(desk))[2] == "1 sent, 0 failed"


def test_a_server_that_is_not_there_uses_up_the_tries_of_one_mail_a_run(desk: Service, clock: Clock) -> None:
    mailer = desk.channels.mailer
    assert mailer is not None
    away = replace(desk, channels=Channels(replace(mailer, port=1), desk.channels.poster))
    for _ in range(3):
        assigned(away, opened(away), account_of(away))
    run(away)
    assert sorted(one.tries for one in deliveries(away)) == [0, 0, 1]
    run_out(away, clock, timedelta(hours=100))
    assert [one.state for one in deliveries(away)] == [DeliveryState.DEAD] * 3


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_name_and_password_are_used_and_a_wrong_one_is_told(desk: Service) -> None:
    with mailbox(**signing_in("us", "secret")) as guarded:
        right = Mailer("127.0.0.1", guarded.port, "none", "us", "secret", SENDER, 5)
        assert right.check().startswith("250")
        right.send(Letter("1", "you@example.com", "Hello", "Text"))
        assert [letter["Subject"] for letter in guarded.letters] == ["Hello"]
        with pytest.raises(NotSent, match="does not take the name and password"):
            replace(right, password="wrong").check()


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout".split()
    subprocess.run([*command, str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        mailbox(tls_context=context) as encrypted,
        pytest.raises(NotSent, match=r"(?i)certificate.verify.failed") as told,
    ):
        Mailer("127.0.0.1", encrypted.port, "starttls", "", "", SENDER, 5).check()
    assert told.value.server


def test_a_server_without_encryption_is_not_spoken_to_when_it_must_be(box: Mailbox) -> None:
    with pytest.raises(NotSent, match="STARTTLS"):
        Mailer("127.0.0.1", box.port, "starttls", "", "", SENDER, 5).send(Letter("1", "you@example.com", "Hello", "Text"))
    assert box.letters == []


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: all@example.com",
        "a@b.example, c@d.example",
        "a b@c.example",
        "@",
        "a@",
        "a",
        "",
        "<a@b.example>,c@d.example",
        "a@b\x00.example",
        "a" * 250 + "@b.example",
        "a@@b.example",
    ],
)
def test_no_address_smuggles_in_a_header_or_another_recipient(box: Mailbox, address: str) -> None:
    mailer = Mailer("127.0.0.1", box.port, "none", "", "", SENDER, 5)
    with pytest.raises(BadAddress):
        address_of(address)
    with pytest.raises(NotSent, match="cannot be written") as told:
        mailer.send(Letter("1", address, "Hello", "Text"))
    assert told.value.for_good
    with pytest.raises(NotSent, match="cannot be written"):
        mailer.send(Letter("1", "a@b.example", "Hello\r\nBcc: all@example.com", "Text"))
    assert box.letters == []


def test_text_of_every_kind_arrives_as_it_was_written(box: Mailbox) -> None:
    text = "Grüße, ¿qué tal? 你好 🙂\n.\n..two dots\nFrom the start\n" + "long " * 400 + "\n"
    Mailer("127.0.0.1", box.port, "none", "", "", SENDER, 5).send(Letter("1", "you@example.com", "Ünï 你好", text, language="de"))
    assert (box.texts()[0].replace("\r\n", "\n"), box.letters[0]["Subject"]) == (text, "Ünï 你好")


# ── webhooks ────────────────────────────────────────────────────────────────────────────────────────


def test_a_webhook_is_signed_so_that_the_standards_library_takes_it(desk: Service) -> None:
    real = replace(desk, now=utc_now)
    with hook() as sink:
        hooked(real, sink.url)
        ticket = opened(real)
        run(real)
    got = sink.got[0]
    body = Receiver(SECRET).verify(got.body, dict(got.headers))
    assert body["type"] == "ticket.opened"
    assert body["data"]["number"] == ticket.number
    assert (body["data"]["queue"], body["data"]["priority"], body["data"]["by"]) == ("billing", "high", "assistant")
    assert b"secret wish" not in got.body
    assert got.headers["webhook-id"] == deliveries(real)[0].id


def test_a_new_secret_signs_beside_the_old_one_for_a_day(desk: Service, clock: Clock) -> None:
    other = webhooks.secret_of(b"another secret of the same webho")
    with hook() as sink:
        made = hooked(desk, sink.url)
        with desk.database.write() as session:
            webhooks.rotate(session, made.id, other, now=clock.at)
        for _ in range(2):
            opened(desk)
            run(desk)
            clock.move(86_400)
    both, alone = (got.headers["webhook-signature"].split() for got in sink.got)
    assert (len(both), len(alone)) == (2, 1)


def test_a_chat_gets_one_line_in_which_nothing_is_markup(desk: Service) -> None:
    with hook() as sink:
        hooked(desk, sink.url, format=WebhookFormat.SLACK, kinds=["opened"])
        ticket = opened(desk)
        wrote(desk, ticket)
        run(desk)
    (got,) = sink.got
    assert json.loads(got.body) == {
        "text": f"New ticket: ticket {ticket.number} (billing, high, open) <https://help.example.com/desk/tickets/{ticket.number}|Open>"
    }


def test_receivers_that_fail_in_every_way_get_each_event_at_least_once_with_one_id(desk: Service, clock: Clock) -> None:
    service = quick(desk)
    with hook(
        answers=[500, "hang", (429, {"Retry-After": "90"}), "close", (302, {"Location": "http://127.0.0.1:1/"}), "close after", 404]
    ) as sink:
        hooked(service, sink.url)
        wrote(service, opened(service), 4)
        run_out(service, clock)
    found = deliveries(service)
    assert [one.state for one in found] == [DeliveryState.SENT] * 5
    assert {one.id for one in found} == set(sink.ids(sink.taken))
    doubles = Counter(sink.ids(sink.taken))
    assert sum(doubles.values()) - len(doubles) == 1  # the one that was taken without an answer


def test_a_throttling_receiver_is_left_alone_for_as_long_as_it_asks(desk: Service, clock: Clock) -> None:
    with hook(answers=[(429, {"Retry-After": "600"})]) as sink:
        hooked(desk, sink.url)
        wrote(desk, opened(desk), 2)
        run(desk)
        for _ in range(9):
            clock.move(60)
            run(desk)
        assert len(sink.got) == 1
        clock.move(61)
        run(desk)
    assert len(sink.taken) == 3


def test_a_receiver_that_is_gone_is_switched_off_and_the_rest_dropped(desk: Service, clock: Clock) -> None:
    with hook(answers=[410]) as sink:
        made = hooked(desk, sink.url)
        wrote(desk, opened(desk), 2)
        run_out(desk, clock)
    assert len(sink.got) == 1
    assert Counter(one.state for one in deliveries(desk)) == {DeliveryState.DEAD: 1, DeliveryState.DROPPED: 2}
    with desk.database.read() as session:
        assert webhooks.get(session, made.id).disabled_why.startswith("410")


def test_a_receiver_that_never_answers_rests_and_holds_up_nobody(desk: Service, clock: Clock) -> None:
    service = quick(desk, 0.2)
    with hook(always="hang") as stuck, hook() as well:
        hooked(service, stuck.url)
        hooked(service, well.url)
        wrote(service, opened(service), 9)
        run(service)
        assert (len(stuck.got), len(well.taken)) == (1, 10)
        for _ in range(4):
            clock.move(1)
            run(service)
        assert len(stuck.got) == 5
        clock.move(1)
        run(service)
        assert len(stuck.got) == 5  # five failures in a row: it rests
        clock.move(15)
        run(service)
        assert len(stuck.got) == 6


def test_an_address_that_has_become_internal_is_given_up_and_never_called(desk: Service, clock: Clock) -> None:
    service = replace(desk, channels=Channels(None, Poster(Internal(), resolve=lambda _host, _port: ["10.0.0.1"])))
    with service.database.write() as session:
        wanted = Wanted("x", "https://rebound.example/hook")
        webhooks.add(session, wanted, Internal(), new_id=service.new_id(), secret=SECRET, by="x", now=service.now())
    opened(service)
    run(service)
    (dead,) = deliveries(service)
    assert (dead.state, dead.error) == (DeliveryState.DEAD, "the host has an address that is not public")


def test_a_worker_killed_between_sending_and_telling_sends_again_with_the_same_id(desk: Service, clock: Clock) -> None:
    """The kill is a database that goes away after the request went out."""
    with hook() as sink:
        hooked(desk, sink.url)
        opened(desk)
        delivering.spread(desk, clock.at)
        with desk.database.write() as session:
            name = outbox.due(session, ["webhook"], 1, now=clock.at)[0]  # type: ignore[list-item]
            tried = outbox.claim(session, name, now=clock.at)
            assert tried is not None
            request = delivering._request(session, tried, desk)
        assert request is not None
        desk.channels.poster.post(request[0], request[1].headers, request[1].body)
        run(desk)
        assert len(sink.got) == 1
        clock.at += outbox.LEASE
        run(desk)
    assert (len(sink.got), len(set(sink.ids()))) == (2, 1)
    assert deliveries(desk)[0].state == DeliveryState.SENT


def test_a_letter_that_cannot_be_written_holds_up_no_other(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    for _ in range(2):
        assigned(desk, opened(desk), agent)
    delivering.spread(desk, desk.now())
    with desk.database.write() as session:
        first = outbox.due(session, [Way.MAIL], 1, now=desk.now())[0]
        session.get_one(Delivery, first).kind = "of another version"
    run(desk)
    assert subjects(box) == ["Ticket given to you"]
    assert {(one.state, one.error) for one in deliveries(desk)} == {("sent", ""), ("waiting", "it cannot be written: KeyError")}


def test_an_event_that_cannot_be_spread_holds_up_no_other(desk: Service, box: Mailbox) -> None:
    agent = account_of(desk)
    for _ in range(2):
        assigned(desk, opened(desk), agent)
    with desk.database.write() as session:
        session.scalars(select(Outbox).order_by(Outbox.event_id)).first().kind = "of another version"  # type: ignore[union-attr]
    assert run(desk)[0] == "3 events, 2 messages, 1 could not be spread"
    assert subjects(box) == ["Ticket given to you"] * 2


def test_what_waits_for_a_webhook_that_is_deleted_is_dropped(desk: Service, clock: Clock) -> None:
    with hook(always=500) as sink:
        gone, kept = hooked(desk, sink.url), hooked(desk, f"{sink.url}/kept")
        wrote(desk, opened(desk), 2)
        run(desk)
        with desk.database.write() as session:
            webhooks.drop(session, gone.id)
        sink.always = 204
        run_out(desk, clock)
    assert Counter((one.recipient, one.state) for one in deliveries(desk)) == {(gone.id, "dropped"): 3, (kept.id, "sent"): 3}


def test_what_waited_while_a_secret_was_changed_is_signed_with_both(desk: Service, clock: Clock) -> None:
    other = webhooks.secret_of(b"another secret, another secret!!")
    with hook(answers=[500]) as sink:
        made = hooked(desk, sink.url)
        opened(desk)
        run(desk)
        with desk.database.write() as session:
            webhooks.rotate(session, made.id, other, now=desk.now())
        run_out(desk, clock)
    first, second = sink.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    for secret in (SECRET, other):
        signed = second.headers["webhook-signature"].split()
        assert Receiver(secret).sign(second.headers["webhook-id"], clock.at, second.body.decode()) in signed


def test_a_refused_sender_is_the_servers_trouble_and_costs_one_mail_a_try(desk: Service) -> None:
    with mailbox() as strict:
        strict.refuses_senders = "550 5.7.1 not from you"
        mailer = Mailer(**(vars(desk.channels.mailer) | {"port": strict.port}))
        service = replace(desk, channels=Channels(mailer, desk.channels.poster))
        agent = account_of(service)
        for _ in range(3):
            assigned(service, opened(service), agent)
        assert run(service)[1] == "0 sent, 1 failed"
    assert {(one.state, one.error) for one in deliveries(service)} == {("waiting", ""), ("waiting", "the server refuses the sender (550)")}


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("99999999999", None),
        ("Sun, 29 Mar 99999999999999999999 01:00:30 GMT", None),
        ("Sun, 29 Mar 2026 01:00:30 +99999999999999", None),
        ("Sun, 29 Mar 2026 01:00:30 GMT", 60),
        ("Sun, 29 Mar 2020 01:00:30 GMT", 0),
    ],
)
def test_what_a_receiver_asks_for_is_read_in_both_forms(told: str, seconds: int | None, clock: Clock) -> None:
    wanted = delivering.retry_after({"retry-after": told}, clock.at)
    assert wanted == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_well(status: int, clock: Clock) -> None:
    assert delivering.judged(Answer(status, {}, ""), clock) is None


@pytest.mark.postgres
def test_two_workers_on_postgres_share_the_messages_and_double_none(tmp_path: Path, clock: Clock, postgres_url: str) -> None:
    settings = settings_with(tmp_path / "data", database_url=postgres_url)
    with hook() as sink, running_without_index(settings, now=clock) as one, running_without_index(settings, now=clock) as two:
        hooks = [hooked(one, f"{sink.url}/{number}") for number in range(4)]
        wrote(one, opened(one), 14)
        threads = [threading.Thread(target=lambda service=service: [run(service) for _ in range(3)]) for service in (one, two)]  # type: ignore[misc]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run(one)
        assert len(deliveries(one)) == 15 * len(hooks)
        assert Counter(one.state for one in deliveries(one)) == {DeliveryState.SENT: 60}
    assert max(Counter(sink.ids()).values()) == 1


# ── keeping webhooks ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        Wanted("", "https://example.com"),
        Wanted("x" * 101, "https://example.com"),
        Wanted("x", "http://example.com"),
        Wanted("x", "https://10.0.0.1"),
        Wanted("x", "https://example.com", kinds=["unknown"]),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_in_words(desk: Service, wrong: Wanted) -> None:
    with desk.database.write() as session, pytest.raises(webhooks.BadWebhook):
        webhooks.add(session, wrong, Internal(), new_id="1", secret=SECRET, by="x", now=desk.now())


def test_a_hook_may_be_changed_switched_off_and_on_and_dropped(desk: Service) -> None:
    with hook() as sink:
        made = hooked(desk, sink.url)
        with desk.database.write() as session:
            webhooks.change(session, made.id, Wanted("Other", f"{sink.url}/2", kinds=["opened"]), Internal.of("127.0.0.1"))
            webhooks.disable(session, made.id, "by hand", now=desk.now())
        opened(desk)
        run(desk)
        assert sink.got == []
        with desk.database.write() as session:
            webhooks.enable(session, made.id)
        opened(desk)
        run(desk)
        assert [got.path for got in sink.got] == ["/hook/2"]
        with desk.database.write() as session:
            webhooks.drop(session, made.id)
            with pytest.raises(webhooks.NoSuchWebhook):
                webhooks.get(session, made.id)
