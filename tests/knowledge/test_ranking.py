import numpy as np

from knowledge.ranking import Evidence, Method, rank


def evidence(articles, foreign=0.0, other=None, faq=None, **columns):
    scores = np.full((len(articles), len(Method)), np.nan)
    for name, values in columns.items():
        scores[:, Method[name.upper()]] = values
    passages = tuple(f"{article}#{n}" for n, article in enumerate(articles))
    rows = np.full(len(articles), foreign)
    return Evidence(
        passages, tuple(articles), scores, rows, np.array(other or [0.0] * len(articles)), np.array(faq or [0.0] * len(articles))
    )


def test_agreement_of_methods_beats_one_strong_voice():
    ranked = rank(evidence(["a", "b"], meaning=[0.60, 0.55], words=[1.0, 9.0], article_words=[2.0, 8.0]))
    assert ranked.articles == ("b", "a")


def test_an_article_is_as_good_as_its_best_passage():
    ranked = rank(evidence(["a", "b", "a"], meaning=[0.2, 0.5, 0.6]))
    assert ranked.rows[0] == 2
    assert ranked.articles == ("a", "b")
    assert ranked.article_scores[0] == ranked.scores[0]


def test_a_passage_a_method_did_not_propose_is_no_worse_than_its_last():
    ranked = rank(evidence(["a", "b", "c"], meaning=[0.5, 0.3, np.nan]))
    assert ranked.scores[1] == ranked.scores[2]


def test_a_foreign_question_listens_to_the_multilingual_encoder():
    columns = {"meaning": [0.5, 0.2], "multilingual": [0.2, 0.8]}
    assert rank(evidence(["a", "b"], **columns)).articles[0] == "a"
    assert rank(evidence(["a", "b"], foreign=1.0, **columns)).articles[0] == "b"


def test_of_two_translations_the_one_in_the_asked_language_comes_first():
    ranked = rank(evidence(["fr", "en"], other=[1.0, 0.0], meaning=[0.60, 0.58]))
    assert ranked.articles == ("en", "fr")


def test_an_article_comes_before_a_faq_that_is_only_a_little_nearer():
    assert rank(evidence(["faq", "article"], faq=[1.0, 0.0], meaning=[0.62, 0.58])).articles[0] == "article"
    assert rank(evidence(["faq", "article"], faq=[1.0, 0.0], meaning=[0.90, 0.50])).articles[0] == "faq"


def test_equals_keep_their_order_and_none_is_lost():
    ranked = rank(evidence(["a", "b", "c"], meaning=[0.5, 0.5, 0.5]))
    assert ranked.articles == ("a", "b", "c")


def test_negative_cosines_and_no_evidence_at_all_are_ranked_too():
    assert rank(evidence(["a", "b"], meaning=[-0.3, -0.1])).articles == ("a", "b")
    assert rank(evidence(["a"])).scores == (0.0,)
    assert rank(evidence([])).articles == ()
