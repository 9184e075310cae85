"""A question as search understands it: slips of the pen put right, its language, its telling words, its vectors."""

from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from knowledge import glossary
from knowledge.keywords import content_terms
from knowledge.language import detect
from knowledge.spelling import Count, corrected
from knowledge.vectors import Vectors

MAIN_LANGUAGES = frozenset({"en"})  # what the main encoder understands well: MiniLM was trained on English


@dataclass(frozen=True)
class Asked:
    """A question ready to be looked up. `in_english`: its main vector and some of its words are of an English gloss."""

    text: str
    words: list[str]
    language: str | None
    vector: Vectors
    multilingual: Vectors | None
    in_english: bool = False


@dataclass(frozen=True)
class Ears:
    """The encoders that understand questions, and the languages the main one knows."""

    main: Embeddings
    multilingual: Embeddings | None
    main_languages: frozenset[str] = MAIN_LANGUAGES

    def hear(self, text: str, vector: Vectors | None, multilingual_vector: Vectors | None, language: str | None, count: Count) -> Asked:
        """The question with vectors handed in, where they are of what is looked up in the end, and else made here."""
        language = language or detect(text)
        right = corrected(text, count) if language is None or language in self.main_languages else text
        if right != text:
            text, vector, multilingual_vector = right, None, None
        if multilingual_vector is None and self.multilingual is not None:
            multilingual_vector = _embedded(self.multilingual, text)
        words = content_terms(text, language)
        english = self._in_english(text, language)
        if english:
            words = list(dict.fromkeys([*content_terms(english), *words]))
            return Asked(text, words, language, _embedded(self.main, english), multilingual_vector, in_english=True)
        return Asked(text, words, language, _embedded(self.main, text) if vector is None else vector, multilingual_vector)

    def _in_english(self, text: str, language: str | None) -> str:
        """The question in English words, when it is in a language of the glossary and enough of its words are known."""
        if language in self.main_languages or language not in glossary.LANGUAGES:
            return ""
        found = glossary.gloss(text, language)
        return found.text if found.known >= glossary.ENOUGH else ""


def _embedded(encoder: Embeddings, text: str) -> Vectors:
    return np.asarray(encoder.embed_query(text), dtype=np.float32)
