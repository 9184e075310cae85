"""Whether two FAQs say the same: told by what is rare in their answers, not by the words that every answer has."""

import numpy as np

from knowledge import duplicates
from knowledge.duplicates import Page
from knowledge.embedding import HashingEncoder

ENCODER = HashingEncoder()
PAGES = (
    Page("a", "How do I export invoices?", "Open Billing in the menu and press Export to download all invoices."),
    Page("b", "Where can I download invoices?", "In Billing press Export: all invoices are downloaded at once."),
    Page("c", "How do I invite a colleague?", "Open Team in the menu and press Invite to add all colleagues."),
)


def seen(*pages: Page, **more: object) -> list[duplicates.Seen]:
    rows = np.asarray(ENCODER.embed_documents(duplicates.texts(pages)), dtype=np.float32)
    return duplicates.seen(pages, {"main": rows}, **more)  # type: ignore[arg-type]


def test_what_says_the_same_is_likelier_than_what_is_only_built_alike() -> None:
    one, same, other = seen(*PAGES)
    assert duplicates.likeness(one, same) > duplicates.likeness(one, other)
    assert duplicates.features(one, same)["words"] > duplicates.features(one, other)["words"]


def test_likeness_is_the_same_from_both_sides_and_highest_with_itself() -> None:
    one, same, _ = seen(*PAGES)
    assert duplicates.likeness(one, same) == duplicates.likeness(same, one)
    assert duplicates.likeness(one, one) >= duplicates.likeness(one, same)
    assert duplicates.features(one, one)["words"] == 1.0


def test_rarity_in_the_library_decides_what_a_shared_word_weighs() -> None:
    def words(telling: str) -> float:
        one, other = seen(PAGES[0], PAGES[2], rarity=lambda word: 5.0 if word == telling else 0.0)
        return duplicates.features(one, other)["words"]

    assert words("menu") > words("export")


def test_an_empty_answer_is_like_nothing() -> None:
    empty, _ = seen(Page("e", "", ""), PAGES[0])
    assert duplicates.features(empty, empty)["words"] == 0.0
