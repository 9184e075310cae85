"""A suggested FAQ written by a chat model, for whoever makes suggestions: sentences from sources, or none to leave the draft as it is."""

from collections.abc import Sequence

from assistant import judging
from assistant.means import Means
from assistant.pen import Writer
from assistant.prompting import Wording, within
from assistant.proving import prove
from assistant.wording import language_name
from assistant.writing import Written
from guardrails.drafts import CitedPassage
from knowledge.rewriting import Write
from knowledge.rewriting import Written as Sentences

MOST_QUESTIONS = 12


def suggestion_writer(writer: Writer, means: Means) -> Write:
    """Who puts suggestions into words; every sentence is checked like one for a visitor."""

    def write(questions: Sequence[str], sources: Sequence[str], language: str) -> Sentences:
        settings, pen = means.settings, writer.pen(None, means.settings.chat_seconds)
        fitting = within([means.mask(source) for source in sources], settings.chat_passage_tokens)
        shown = {f"P{number}": text for number, text in enumerate(fitting, start=1)}
        asked = "\n".join(f"- {means.mask(question)}" for question in questions[:MOST_QUESTIONS])
        material = {"sources": "\n\n".join(f"[{label}] {text}" for label, text in shown.items()), "questions": asked}
        values = {"product": settings.product, "language": language_name(language, "en"), "sentences": str(settings.chat_sentences)}
        answer = pen.ask(Wording("suggestion", Written, settings.chat_answer_tokens).prompt(material, pen.new_mark(), **values), Written)
        if answer is None or answer.kind != "answer":
            return []
        named = {label: CitedPassage(label, text) for label, text in shown.items()}
        proof = prove(answer.sentences[: settings.chat_sentences], named, means.guard, judging.supports(means, pen))
        places = {label: place for place, label in enumerate(shown)}
        return [(claim.text, [places[source.passage_id] for source in claim.sources]) for claim in proof.kept] if proof.mostly else []

    return write
