"""The table of what becomes of messages when receivers fail."""

from evals.outbox_table import TROUBLES, row


def test_a_row_counts_what_arrived_and_what_was_given_up() -> None:
    cells = [cell.strip() for cell in row("none", TROUBLES["none"], 5, patience=30).strip("|").split("|")]
    assert cells == ["none", "5", "5", "0", "5", "0", "0", "0:00:00"]
    gone = [cell.strip() for cell in row("gone", ("410",), 3, patience=30).strip(" |").split("|")]
    assert gone[1:7] == ["3", "0", "0", "1", "1", "2"]
