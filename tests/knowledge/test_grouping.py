"""Questions that ask the same stand in one group, whatever their order; one that asks something else stands alone."""

import numpy as np

from knowledge import grouping
from knowledge.grouping import group, joined
from knowledge.groups import Places, core
from knowledge.loop_tables import GroupId


def clouds(groups: int, size: int, alone: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around so many centres, and some that stand alone; with the right labels."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, 64))
    rows = [*(centre + 0.35 * random.normal(size=64) for centre in centres for _ in range(size)), *random.normal(size=(alone, 64))]
    labels = np.r_[np.repeat(np.arange(groups), size), np.arange(groups, groups + alone)]
    order = random.permutation(len(rows))
    stacked = np.stack(rows)[order].astype(np.float32)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True), labels[order]


def together(labels: np.ndarray) -> np.ndarray:
    return labels[:, None] == labels[None, :]


def test_clear_groups_are_found_without_their_number_being_known() -> None:
    rows, labels = clouds(groups=12, size=9, alone=0)
    assert (together(group(rows)) == together(labels)).mean() > 0.99


def test_a_few_who_ask_the_same_are_found_among_many_who_stand_alone() -> None:
    rows, labels = clouds(groups=10, size=4, alone=200)
    made = group(rows)
    for label in range(10):
        own = made[labels == label]
        assert len(set(own.tolist())) == 1
        assert (made == own[0]).sum() == len(own)


def test_the_order_of_the_questions_does_not_matter() -> None:
    rows, _ = clouds(groups=8, size=6, alone=10)
    back = np.arange(len(rows))[::-1]
    assert (together(group(rows))[::-1, ::-1] == together(group(rows[back]))).mean() > 0.99


def test_nothing_and_one_question_are_grouped_too() -> None:
    assert group(np.zeros((0, 8), dtype=np.float32)).tolist() == []
    assert group(np.ones((1, 8), dtype=np.float32)).tolist() == [0]


def test_a_question_that_is_like_nothing_in_its_group_is_not_one_of_its_clear_ones() -> None:
    rows, _ = clouds(groups=1, size=6, alone=1)
    odd = int(np.argmin(rows @ rows.sum(axis=0)))
    assert core(rows) == [at for at in range(7) if at != odd]


def test_a_new_question_is_placed_with_the_likest_group() -> None:
    rows, labels = clouds(groups=3, size=5, alone=0)
    places = Places(64)
    for label in range(3):
        places.add(GroupId(str(label)), rows[labels == label][:4].mean(axis=0), 4)
    for label in range(3):
        found = places.nearest(rows[labels == label][4])
        assert found is not None
        assert found[0] == str(label)


def test_both_encoders_count_as_weighted_cosines() -> None:
    main, other = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[::-1]
    both = joined({"main": main, "multilingual": other})
    assert np.allclose(both @ both.T, (1 - grouping.MULTILINGUAL_WEIGHT) * main @ main.T + grouping.MULTILINGUAL_WEIGHT * other @ other.T)


def test_the_nearest_are_the_same_however_many_columns_are_looked_at_first() -> None:
    rows, _ = clouds(groups=200, size=8, alone=37)
    near, cosines = grouping.neighbours(rows, 5)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -np.inf)
    assert np.allclose(np.sort(alike, axis=1)[:, ::-1][:, :5], cosines, atol=1e-6)
    assert np.allclose(np.take_along_axis(alike, near, axis=1), cosines, atol=1e-6)


def replied(labels: np.ndarray, seed: int = 3) -> grouping.Replies:
    """A reply to every question, alike where the labels are."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(labels.max() + 1, 64))
    rows = centres[labels] + 0.3 * random.normal(size=(len(labels), 64))
    return grouping.Replies(np.arange(len(labels)), (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


def test_replies_that_differ_keep_questions_apart_that_are_worded_alike() -> None:
    rows, _ = clouds(groups=1, size=12, alone=20)
    answers = np.arange(len(rows)) % 2
    alone, told = group(rows), group(rows, replies=replied(answers))
    one = np.flatnonzero(np.bincount(alone)[alone] > 6)
    assert len(np.unique(alone[one])) == 1
    assert not (together(told[one]) & ~together(answers[one])).any()


def test_replies_that_agree_bring_questions_together_that_are_worded_differently() -> None:
    rows, labels = clouds(groups=6, size=6, alone=0)
    merged = labels // 2
    weak = grouping.Method(grouping.ISSUES_OF_FEW.scales, 0.0, 0.2, apart=0.3, replies=1.0, differ=0.2)
    apart, joint = group(rows, weak), group(rows, weak, replied(merged))
    assert len(np.unique(apart)) == 6
    assert (together(joint) == together(merged)).mean() > 0.99


def test_one_reply_alone_changes_nothing() -> None:
    rows, _ = clouds(groups=4, size=5, alone=2)
    one = grouping.Replies(np.array([3]), rows[3:4])
    assert group(rows, replies=one).tolist() == group(rows).tolist()
