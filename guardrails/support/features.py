"""What speaks for and against a claim, as numbers: the fitted model adds them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from guardrails.support.alignment import Alignment, Numbers, in_context, weights
from guardrails.support.cues import cues
from guardrails.support.facts import Unit, missing
from guardrails.support.words import Text, concepts

FAINT, CLEAR = 0.45, 0.75  # likeness below which a word has no counterpart, and above which it surely has one
SAME = 0.999
COUNT_LIMIT = 4.0


@dataclass(frozen=True)
class Likeness:
    """Cosines of the claim by one encoder: to each sentence of the evidence, to each pair of neighbours, to the whole."""

    sentences: Numbers
    pairs: Numbers
    whole: float


def features(aligned: Alignment, likeness: Mapping[str, Likeness]) -> dict[str, float]:
    """All of them by name; none is missing, whatever the texts."""
    claim, evidence = aligned.claim, aligned.evidence
    by_sentence, by_clause = aligned.within(evidence.sentences), aligned.within(evidence.clauses)
    focus = _focus(by_sentence, likeness)
    found = {
        **_meaning(likeness),
        **_words(aligned, by_sentence, by_clause),
        **_facts(claim, evidence),
        **_cues(claim, evidence, focus),
        **_opposites(claim, evidence, focus),
        **_copying(aligned, focus),
        **_order(aligned, by_sentence),
    }
    return {**found, **_together(found)}


def _focus(by_sentence: Numbers, likeness: Mapping[str, Likeness]) -> Numbers:
    """How much each sentence of the evidence is the one the claim rests on; adds up to 1."""
    cover = by_sentence.mean(axis=0) if len(by_sentence) else np.zeros(by_sentence.shape[1], dtype=np.float32)
    meant = [one.sentences for one in likeness.values() if len(one.sentences) == len(cover)]
    score = cover + (np.mean(meant, axis=0) if meant else 0.0)
    return weights(np.asarray(score, dtype=np.float32)) if len(score) else score


def _meaning(likeness: Mapping[str, Likeness]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, one in likeness.items():
        sentence = float(one.sentences.max(initial=0.0))
        found[f"{name}_sentence"] = sentence
        found[f"{name}_pair"] = max(float(one.pairs.max(initial=0.0)), sentence)
        found[f"{name}_whole"] = one.whole
    return found


def _words(aligned: Alignment, by_sentence: Numbers, by_clause: Numbers) -> dict[str, float]:
    plain = np.array([item.fact is None for item in aligned.rows], dtype=bool)
    best = aligned.best[plain]
    low = np.sort(best)[:2] if len(best) else np.ones(1)
    context, close = in_context(by_sentence), in_context(by_clause)
    count = max(len(aligned.rows), 1)
    return {
        "cover": float(aligned.best.mean()) if len(aligned.rows) else 1.0,
        "lowest": float(low[0]),
        "second_lowest": float(low[-1]),
        "without": min(COUNT_LIMIT, float((best < FAINT).sum())),
        "without_share": float((best < FAINT).mean()) if len(best) else 0.0,
        "same_stem": float((aligned.best >= SAME).mean()) if len(aligned.rows) else 1.0,
        "cover_sentence": float(by_sentence.mean(axis=0).max(initial=0.0)) if len(by_sentence) else 1.0,
        "cover_clause": float(by_clause.mean(axis=0).max(initial=0.0)) if len(by_clause) else 1.0,
        "context": float(context.mean()) if len(context) else 1.0,
        "context_lowest": float(context.min(initial=1.0)),
        "context_loss": float((aligned.best - context).max(initial=0.0)),
        "clause_context": float(close.mean()) if len(close) else 1.0,
        "clause_lowest": float(close.min(initial=1.0)),
        "clause_loss": float((aligned.best - close).max(initial=0.0)),
        "worst_clause": _worst_clause(aligned, by_clause, by_sentence),
        "items": float(np.log1p(count)),
    }


def _worst_clause(aligned: Alignment, by_clause: Numbers, by_sentence: Numbers) -> float:
    """Of the claim's clauses, the one that any single clause or sentence of the evidence covers worst."""
    places = np.array([item.place for item in aligned.rows])
    scores = []
    for start, end in aligned.claim.clauses:
        inside = (places >= start) & (places < end) if len(places) else np.zeros(0, dtype=bool)
        if inside.any():
            scores.append(max(by_clause[inside].mean(axis=0).max(initial=0.0), 0.9 * by_sentence[inside].mean(axis=0).max(initial=0.0)))
    return float(min(scores, default=1.0))


def _facts(claim: Text, evidence: Text) -> dict[str, float]:
    lost = missing(claim.facts, evidence.facts)
    strong = [fact for fact in lost if not fact.weak and fact.unit is not Unit.ORDINAL]
    names = {word.stem for word in claim.words if word.name and word.content}
    addresses = {word.lower for word in claim.words if "://" in word.lower or "@" in word.lower}
    said = {word.lower for word in evidence.words}
    known = " ".join(word.lower for word in evidence.words)
    menus = [menu for menu in claim.menus if " ".join(menu.replace("'", " ").split()) not in known]
    return {
        "numbers_missing": min(COUNT_LIMIT, float(len(strong))),
        "numbers_weak": min(COUNT_LIMIT, float(len(lost) - len(strong))),
        "numbers_said": min(COUNT_LIMIT, float(len(claim.facts))),
        "names_missing": min(COUNT_LIMIT, float(len(names - evidence.stems))),
        "names_said": min(COUNT_LIMIT, float(len(names))),
        "menus_missing": min(COUNT_LIMIT, float(len(menus))),
        "addresses_missing": min(COUNT_LIMIT, float(len(addresses - said))),
    }


def _cues(claim: Text, evidence: Text, focus: Numbers) -> dict[str, float]:
    """For each concept whether the claim adds it or drops it, against the sentences it rests on."""
    said = concepts(claim.words)
    there = [concepts(evidence.words[start:end]) for start, end in evidence.sentences]
    everywhere = concepts(evidence.words)
    found: dict[str, float] = {}
    for name in cues().concepts:
        mine = float(said[name] > 0)
        theirs = float(sum(weight * (one[name] > 0) for weight, one in zip(focus, there, strict=True)))
        found[f"adds_{name}"] = mine * (1 - theirs)
        found[f"drops_{name}"] = (1 - mine) * theirs
        found[f"invents_{name}"] = mine * float(everywhere[name] == 0)
    odd = float(sum(weight * (one["no"] % 2) for weight, one in zip(focus, there, strict=True)))
    found["parity"] = odd if said["no"] % 2 == 0 else 1 - odd
    return found


def _opposites(claim: Text, evidence: Text, focus: Numbers) -> dict[str, float]:
    """Words of the claim whose opposite stands in the sentences it rests on, and they themselves do not."""
    against = 0.0
    for weight, (start, end) in zip(focus, evidence.sentences, strict=True):
        stems = {word.stem for word in evidence.words[start:end]}
        mine = {word.stem for word in claim.words}
        clash = sum(bool(cues().opposites.get(s, frozenset()) & (stems - mine)) for s in mine - stems)
        against += float(weight) * clash
    return {"opposite": min(against, 2.0)}


def _copying(aligned: Alignment, focus: Numbers) -> dict[str, float]:
    """How far the claim repeats its sentence word by word, and what was changed in the copy."""
    names = ("copied", "swapped_in_copy", "added_in_copy", "added_faint", "cues_changed")
    if not len(focus):
        return dict.fromkeys(names, 0.0)
    start, end = aligned.evidence.sentences[int(np.argmax(focus))]
    mine, theirs = aligned.claim.words, aligned.evidence.words[start:end]
    matcher = SequenceMatcher(None, [w.stem for w in mine], [w.stem for w in theirs], autojunk=False)
    copied = sum(block.size for block in matcher.get_matching_blocks()) / max(len(mine), 1)
    best = {item.place: float(score) for item, score in zip(aligned.rows, aligned.best, strict=True)}
    swapped = added = faint = changed = 0.0
    marks = cues().concepts["no"] | cues().concepts["all"] | cues().concepts["only"] | cues().concepts["if"] | cues().concepts["even"]
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        fresh = [best[n] for n in range(a, b) if n in best]
        swapped += len(fresh) * (kind == "replace")
        added += len(fresh) * (kind in {"insert", "delete"})
        faint += sum(1 - score for score in fresh)
        changed += abs(sum(w.lower in marks for w in mine[a:b]) - sum(w.lower in marks for w in theirs[c:d]))
    values = (
        copied,
        copied * min(swapped, COUNT_LIMIT),
        copied * min(added, COUNT_LIMIT),
        copied * min(faint, COUNT_LIMIT),
        copied * changed,
    )
    return dict(zip(names, values, strict=True))


def _order(aligned: Alignment, by_sentence: Numbers) -> dict[str, float]:
    """Items that surely have a counterpart in the best sentence but come in another order there."""
    if not by_sentence.size:
        return {"disorder": 0.0, "subject": 1.0}
    start, end = aligned.evidence.sentences[int(np.argmax(by_sentence.mean(axis=0)))]
    inside = [m for m, item in enumerate(aligned.columns) if start <= item.place < end]
    if not inside:
        return {"disorder": 0.0, "subject": 1.0}
    part = aligned.likeness[:, inside]
    places = [int(part[n].argmax()) for n in range(len(part)) if part[n].max() >= CLEAR]
    pairs = [(a, b) for i, a in enumerate(places) for b in places[i + 1 :] if a != b]
    return {
        "disorder": sum(a > b for a, b in pairs) / len(pairs) if pairs else 0.0,
        "subject": float(part[0].max()),
    }


def _together(found: Mapping[str, float]) -> dict[str, float]:
    """Signs that mean more, or less, side by side."""
    flat = found["copied"]
    return {
        "opposite_and_parity": found["opposite"] * (1 - found["parity"]),
        "parity_in_copy": found["parity"] * flat,
        "lowest_in_copy": (1 - found["lowest"]) * flat,
        "context_in_copy": found["context_loss"] * flat,
        "opposite_in_copy": found["opposite"] * flat,
        "must_faint": found["adds_must"] * (1 - found["lowest"]),
        "disorder_in_copy": found["disorder"] * flat,
    }
