"""A suggested FAQ in the words of whoever can write: from the sentences of the draft alone, each with the evidence of those it rests on.

The draft's sentences have passed the gates of evidence and privacy (drafting.py), so what is written from them can tell nothing else; it
passes the same gates again, and where it does not, or nobody writes, the draft stays as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from knowledge.drafting import MOST_WORDS, Mask, markdown
from knowledge.facts import facts_in
from knowledge.loop_tables import SuggestionKind
from knowledge.suggestions import Proposal
from knowledge.support import Sentence

Written = Sequence[tuple[str, Sequence[int]]]
"""Sentences, each with the places of the sources that say it; none when nothing can be written."""
Write = Callable[[Sequence[str], Sequence[str], str], Written]
"""Questions, sources as plain texts and a two-letter language → what can be written from them. May take seconds."""


def rewritten(proposal: Proposal, write: Write | None, mask: Mask) -> Proposal:
    """The same suggestion in better words where it is a new FAQ and somebody writes. No transaction may be open."""
    if write is None or proposal.kind != SuggestionKind.NEW or not proposal.body:
        return proposal
    sources = [sentence.text for sentence in proposal.body]
    written = write([proposal.title, *proposal.wordings], sources, proposal.language)
    body = [_with_evidence(text, [proposal.body[place] for place in places]) for text, places in written]
    if not body or sum(len(one.text.split()) for one in body) > MOST_WORDS or not all(_passes(one, proposal, mask) for one in body):
        return proposal
    return replace(proposal, body=body, text=markdown(body))


def _with_evidence(text: str, rests_on: Sequence[Sentence]) -> Sentence:
    evidence = tuple(dict.fromkeys(source for sentence in rests_on for source in sentence.evidence))
    return Sentence(text, evidence, supported=bool(evidence) and all(sentence.supported for sentence in rests_on))


def _passes(sentence: Sentence, proposal: Proposal, mask: Mask) -> bool:
    """Whether it has evidence, and names nothing specific or personal that the draft does not."""
    known = frozenset[str]().union(*(facts_in(one.text, proposal.language) for one in proposal.body))
    specific = facts_in(sentence.text, proposal.language)
    return sentence.supported and specific <= known and mask(sentence.text) == sentence.text
