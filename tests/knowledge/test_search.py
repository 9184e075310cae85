import threading

import numpy as np
import pytest

from knowledge.confidence import plain_confidence
from knowledge.embedding import HashingEncoder, vectors
from knowledge.passages import cut, embedded_text
from knowledge.search import Band, MemoryVectorIndex, SearchableArticle, SearchablePassage, Searcher


class Shelf:
    """A searcher and what the publisher does for it."""

    def __init__(self, *, multilingual=None):
        self.encoder, self.index = HashingEncoder(), MemoryVectorIndex()
        self.multilingual, self.other_index = multilingual, MemoryVectorIndex() if multilingual else None
        self.searcher = Searcher(
            self.encoder,
            self.index,
            multilingual=multilingual,
            multilingual_index=self.other_index,
            fitted=plain_confidence(),
        )

    def publish(self, article_id, title, text, **more):
        pieces = tuple(SearchablePassage(f"{article_id}#{p.position}", embedded_text(title, p)) for p in cut(title, text))
        article = SearchableArticle(article_id, title, pieces, **more)
        ids, texts = [e[0] for e in article.entries()], [e[1] for e in article.entries()]
        self.index.put(ids, vectors(self.encoder, texts))
        if self.other_index is not None:
            self.other_index.put(ids, vectors(self.multilingual, texts))
        self.searcher.put(article)

    def find(self, question, **more):
        return self.searcher.find(question, **more)

    def articles(self, question):
        return list(dict.fromkeys(hit.article_id for hit in self.find(question).passages))


@pytest.fixture
def shelf():
    shelf = Shelf()
    shelf.publish("password", "Reset your password", "Open the sign-in page and choose Forgot password.")
    shelf.publish("plan", "Cancel your plan", "An owner opens Billing and chooses Cancel plan.")
    shelf.publish("export", "Export a dashboard", "Choose PDF or CSV. Error E4012 means that it is too large.")
    return shelf


def test_the_article_that_answers_comes_first(shelf):
    assert shelf.articles("how can I reset my password?")[0] == "password"
    assert shelf.articles("E4012")[0] == "export"


def test_a_hit_tells_what_each_method_gave(shelf):
    found = shelf.find("reset password")
    assert {"meaning", "title", "words"} <= found.passages[0].scores.keys()
    assert found.passages[0].title == "Reset your password"
    assert found.explanation.articles[0][0] == "password"
    assert found.explanation.features["meaning"] > 0


def test_a_wording_of_a_faq_is_the_strongest_evidence(shelf):
    shelf.publish("faq", "May I stop paying?", "Yes, at any time.", kind="faq", wordings=("how do I get rid of the subscription",))
    found = shelf.find("how do I get rid of the subscription")
    assert found.passages[0].article_id == "faq"
    assert found.passages[0].passage_id == "faq#0"
    assert found.band is Band.ANSWER


def test_many_wordings_of_one_faq_do_not_starve_the_others(shelf):
    wordings = tuple(f"reset password number {n}" for n in range(400))
    shelf.publish("faq", "Reset password number", "Call us.", kind="faq", wordings=wordings)
    assert {"faq", "password"} <= set(shelf.articles("reset password"))


def test_a_removed_article_is_gone_although_its_vectors_are_still_there(shelf):
    shelf.searcher.remove("password")
    found = shelf.find("reset password")
    assert "password" not in {hit.article_id for hit in found.passages}
    assert "password#0" in found.explanation.dropped


def test_many_dead_vectors_do_not_hide_the_live_ones(shelf):
    dead = [f"dead#{n}" for n in range(500)]
    shelf.index.put(dead, vectors(shelf.encoder, ["reset password"] * 500))
    assert shelf.articles("reset password")[0] == "password"


def test_a_replaced_article_is_found_by_its_new_text_only(shelf):
    shelf.publish("plan", "Change your address", "Open Profile.")
    assert shelf.articles("change address")[0] == "plan"
    assert shelf.find("cancel plan").passages[0].scores.get("words") is None


def test_twins_do_not_crash_and_are_both_found(shelf):
    for n in range(30):
        shelf.publish(f"twin{n}", "Invite teammates", "Open People.")
    assert len({hit.article_id for hit in shelf.find("invite teammates", limit=40).passages if "twin" in hit.article_id}) == 30
    assert shelf.articles("cancel plan")[0] == "plan"


def test_nothing_live_or_nothing_asked_finds_nothing(shelf):
    assert Shelf().find("anything").passages == ()
    assert shelf.find("  \n").band is Band.NOT_COVERED


@pytest.mark.parametrize("question", ["?", "a" * 50_000, "\ud800 \x00", "(((", "🤷", "的", "the of and"])
def test_strange_questions_get_a_probability(shelf, question):
    assert 0.0 <= shelf.find(question).probability <= 1.0


def test_limit_bounds_the_passages(shelf):
    assert len(shelf.find("password plan dashboard", limit=2).passages) == 2


def test_vectors_handed_in_are_used(shelf):
    vector = np.asarray(shelf.encoder.embed_query("cancel plan"), dtype=np.float32)
    assert shelf.find("xyzzy", vector=vector).passages[0].article_id == "plan"


class Dictionary(HashingEncoder):
    """Stand-in for a multilingual encoder: knows two German words."""

    name = "dictionary"

    def embed_documents(self, texts):
        known = {"kennwort": "password", "zurücksetzen": "reset"}
        return super().embed_documents([" ".join(known.get(w, w) for w in text.lower().replace("?", "").split()) for text in texts])


def test_a_question_in_another_language_finds_the_article():
    shelf = Shelf(multilingual=Dictionary())
    shelf.publish("password", "Reset your password", "Choose Forgot password to reset the password.")
    shelf.publish("plan", "Cancel your plan", "An owner opens Billing.")
    found = shelf.find("Wie kann ich mein Kennwort zurücksetzen?")
    assert found.explanation.language == "de"
    assert found.passages[0].article_id == "password"


def test_a_question_in_another_language_is_understood_without_a_multilingual_encoder_too(shelf):
    shelf.publish("bill", "Download an invoice", "Open Billing and choose the month.")
    assert shelf.articles("Wo bekomme ich meine Rechnungen?")[0] == "bill"


def test_a_misspelt_question_finds_the_article(shelf):
    assert shelf.articles("how do i exprot a dashbaord")[0] == "export"


def test_a_summary_is_as_good_as_a_title(shelf):
    shelf.publish("seats", "People", "Open the list.", summary="Add a colleague to the workspace and take one out again.")
    assert shelf.articles("take a colleague out of the workspace")[0] == "seats"


def test_a_library_is_mixed_while_it_has_both_articles_and_faqs(shelf):
    assert shelf.find("plan").explanation.features["mixed"] == 0.0
    shelf.publish("faq", "May I stop paying?", "Yes.", kind="faq")
    assert shelf.find("plan").explanation.features["mixed"] == 1.0
    shelf.searcher.remove("faq")
    assert shelf.find("plan").explanation.features["mixed"] == 0.0


def test_finding_and_publishing_at_once_never_fails(shelf):
    failures = []

    def ask():
        try:
            for _ in range(60):
                assert shelf.articles("reset password")[0] == "password"
        except Exception as failure:
            failures.append(failure)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for n in range(15):
        shelf.publish("plan", "Cancel your plan", f"Version {n}.")
        shelf.searcher.remove("export")
    for asker in askers:
        asker.join()
    assert failures == []
