import json

import numpy as np
import pytest

from knowledge import confidence
from knowledge.confidence import FITTED, Band, plain_confidence
from knowledge.ranking import Evidence, Method, rank


def features_of(articles, missing=0.0, foreign=0.0, **columns):
    scores = np.full((len(articles), len(Method)), np.nan)
    for name, values in columns.items():
        scores[:, Method[name.upper()]] = values
    rows = np.full(len(articles), foreign)
    passages = tuple(map(str, range(len(articles))))
    found = Evidence(passages, tuple(articles), scores, rows, np.zeros(len(articles)), np.zeros(len(articles)))
    return confidence.features(found, rank(found), missing)


def clear(foreign=0.0):
    return features_of(
        list("abcdef"),
        foreign=foreign,
        meaning=[0.85, 0.3, 0.3, 0.2, 0.2, 0.2],
        multilingual=[0.85, 0.3, 0.3, 0.2, 0.2, 0.2],
        title=[0.8, 0.2, 0.2, 0.1, 0.1, 0.1],
        title_multilingual=[0.8, 0.2, 0.2, 0.1, 0.1, 0.1],
        words=[12, 2, 1, 1, 1, 1],
        article_words=[12, 2, 1, 1, 1, 1],
    )


def vague():
    return features_of(list("abcdef"), 0.9, meaning=[0.3, 0.29, 0.28, 0.28, 0.27, 0.26], title=[0.1] * 6, words=[3, 3, 3, 3, 2, 2])


def test_the_shipped_fit_answers_a_clear_case_and_not_a_vague_one():
    shipped = confidence.load()
    assert shipped.band(shipped.probability(clear())) is Band.ANSWER
    assert shipped.band(shipped.probability(vague())) is Band.NOT_COVERED


def test_a_clear_case_is_as_clear_in_another_language():
    shipped = confidence.load()
    assert shipped.probability(clear(foreign=1.0)) == pytest.approx(shipped.probability(clear()), abs=0.1)


def test_a_telling_word_that_is_missing_lowers_the_probability():
    shipped = confidence.load()
    assert shipped.probability({**clear(), "missing": 1.0}) < shipped.probability(clear())


def test_every_probability_lies_between_0_and_1():
    shipped = confidence.load()
    for value in (-1e6, -1.0, 0.0, 1.0, 1e6):
        assert 0.0 <= shipped.probability(dict.fromkeys(shipped.features, value)) <= 1.0


def test_a_stricter_target_asks_for_a_higher_probability():
    shipped = confidence.load()
    asked = [shipped.for_target(target).answer_from for target in (0.01, 0.03, 0.05, 0.07, 0.2)]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] > asked[-1]
    assert shipped.for_target(0.5).unsure_from <= shipped.for_target(0.5).answer_from


def test_bands_begin_at_their_thresholds():
    plain = plain_confidence()
    assert [plain.band(p) for p in (0.70, 0.69, 0.35, 0.34)] == [Band.ANSWER, Band.UNSURE, Band.UNSURE, Band.NOT_COVERED]


def test_one_article_alone_has_features_too():
    assert features_of(["a"], meaning=[0.5], title=[0.4])["meaning"] == 0.5


def test_the_shipped_fit_tells_where_it_comes_from():
    provenance = json.loads(FITTED.read_text(encoding="utf-8"))["provenance"]
    assert {"command", "date", "rows", "licences"} <= provenance.keys()
    assert not any("libreoffice" in name for name in provenance["rows"])
