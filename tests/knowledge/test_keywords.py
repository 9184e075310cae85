import threading

import pytest

from knowledge.keywords import KeywordIndex, content_terms, terms


@pytest.fixture
def index():
    index = KeywordIndex()
    index.put({"a": "Error E4012 when exporting a dashboard", "b": "Export a dashboard as PDF", "c": "Invite your teammates"})
    return index


def ids(hits):
    return [text_id for text_id, _ in hits]


def test_exact_codes_are_found(index):
    assert ids(index.search(content_terms("what is e4012?"), 5)) == ["a"]


def test_words_are_found_by_their_stem_and_without_accents(index):
    index.put({"d": "Résumé uploads"})
    assert ids(index.search(content_terms("uploading a resume"), 5)) == ["d"]
    assert set(ids(index.search(content_terms("exports"), 5))) == {"a", "b"}


def test_a_replaced_text_is_found_by_its_new_words_only(index):
    index.put({"b": "Print a report"})
    assert ids(index.search(["pdf"], 5)) == []
    assert ids(index.search(terms("report"), 5)) == ["b"]


def test_a_removed_text_is_gone_at_once(index):
    index.remove(["c", "unknown"])
    assert index.search(terms("invite"), 5) == []


def test_neighbouring_words_are_found_as_pairs(index):
    index.put({"d": "A dashboard can be left. Export something else."})
    assert ids(index.search_pairs(content_terms("export dashboard"), 5)) == ["b", "a"]


def test_function_words_count_only_when_there_is_nothing_else():
    assert content_terms("How do I export it?") == ["export"]
    assert content_terms("how do I?") == ["how", "do", "i"]
    assert content_terms("Wie kann ich exportieren?", "de") == terms("exportieren")


def test_a_word_no_text_holds_is_the_rarest(index):
    rarity = index.rarity(["dashboard", "invit", "zebra"])
    assert rarity["dashboard"] < rarity["invit"] < rarity["zebra"] == pytest.approx(index.highest_rarity())
    assert index.unknown(["dashboard", "zebra"]) == {"zebra"}


def test_strange_questions_find_nothing_and_do_not_fail(index):
    for question in ("", "?!", '"(AND OR NOT', "a" * 100_000, "\ud800\x00", "body:export^9~"):
        assert isinstance(index.search(content_terms(question), 5), list)
        assert isinstance(index.search_pairs(content_terms(question), 5), list)


def test_a_very_long_question_is_searched_by_its_rarest_words(index):
    question = " ".join(f"word{n}" for n in range(3000)) + " E4012 dashboard"
    assert ids(index.search(terms(question), 1)) == ["a"]


def test_readers_and_a_writer_do_not_disturb_each_other(index):
    failures = []

    def read():
        try:
            for _ in range(100):
                assert "b" in ids(index.search(["pdf"], 5))
        except Exception as failure:
            failures.append(failure)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(20):
        index.put({f"new{n}": "Something else"})
    for reader in readers:
        reader.join()
    assert failures == []
