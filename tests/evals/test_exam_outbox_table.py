"""The table of what becomes of messages when receivers fail; and a worker process that is killed when it matters."""

import pytest

from escalation.outbox_tables import DeliveryState
from evals.outbox_table import MAIL, REFUSES, WEB, killed, row


def test_a_row_counts_what_arrived_and_what_was_given_up() -> None:
    well = row(WEB, "none", 5, patience=30)
    assert str(well) == "| webhook | none | 5 | 5 | 0 | yes | 5 | 0 | 0 | 0:00:00 |"
    gone = row(WEB, "is gone", 3, patience=30)
    assert (gone.sink.arrived, gone.states) == (set(), {DeliveryState.DEAD: 1, DeliveryState.DROPPED: 2})


def test_one_recipient_who_is_refused_keeps_no_mail_from_the_other() -> None:
    refused = row(MAIL, REFUSES, 3, patience=30)
    assert (len(refused.sink.arrived), refused.states) == (3, {DeliveryState.SENT: 3, DeliveryState.DEAD: 3})


@pytest.mark.parametrize("way", [WEB, MAIL])
def test_a_worker_killed_after_the_receiver_took_a_message_leaves_it_to_another_with_the_same_id(way: str) -> None:
    found = killed(way, kills=1, events=3, each=2)
    assert (len(found.sink.arrived), found.sink.doubles, found.sink.one_id_each) == (3, 1, True)
    assert found.states == {DeliveryState.SENT: 3}
