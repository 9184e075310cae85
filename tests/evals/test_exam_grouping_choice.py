"""How grouping is chosen: scenes are the same every time, and a method is taken for what it finds less what it suggests in vain."""

from dataclasses import replace

import numpy as np
import pytest

from evals import grouping_choice as choice
from evals.grouping_choice import Grade, Scene
from knowledge.grouping import ISSUES_OF_FEW, Replies


def scene() -> Scene:
    rows = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    return Scene(
        rows, ["a"] * 4 + ["b"] * 4 + ["known"] * 4, Replies(np.array([0, 4, 8]), np.eye(3, dtype=np.float32)), frozenset({"a", "b"})
    )


def test_a_group_counts_once_for_its_intent_and_one_of_what_is_known_is_in_vain() -> None:
    found = choice.graded(scene(), np.repeat([0, 1, 2], 4))
    assert found == Grade(found=2, in_vain=1, strangers=0.0, gathered=1.0)


def test_a_group_of_two_things_has_strangers_and_stands_for_none() -> None:
    found = choice.graded(scene(), np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2]))
    assert (found.found, found.in_vain) == (0, 0)  # its questions are not alike enough to be suggested


@pytest.mark.parametrize(("strangers", "best"), [((0.01, 0.02), 1), ((0.01, 0.2), 0)])
def test_the_best_finds_most_of_those_with_few_strangers(strangers: tuple[float, float], best: int) -> None:
    methods = [replace(ISSUES_OF_FEW, apart=apart) for apart in (0.3, 0.4)]
    grades = [Grade(10, 1, strangers[0], 0.5), Grade(12, 1, strangers[1], 0.5)]
    assert choice.best_of_few(list(zip(methods, grades, strict=True))) == methods[best]
