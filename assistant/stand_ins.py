"""Chat models for tests and the exam: one says what a script tells it, the other does whatever any text in its context says."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

from assistant.chat_model import Completion, ModelTrouble, Prompt, Trouble

Line = str | dict[str, Any] | ModelTrouble | Callable[[Prompt], "Line"]
"""What a scripted model says to one call: a text, an object as JSON, a trouble, or what a function makes of the prompt."""


class ScriptedModel:
    """Says the lines of its script one after the other, the last again and again; remembers every prompt."""

    def __init__(self, *lines: Line, name: str = "scripted") -> None:
        """Without lines it has nothing to say: every call is garbage."""
        self.name, self.provider = name, "stand_in"
        self.prompts: list[Prompt] = []
        self._lines = list(lines)
        self._lock = threading.Lock()

    def complete(self, prompt: Prompt, seconds: float) -> Completion:
        """The next line. Raise ModelTrouble where the script says so."""
        with self._lock:
            self.prompts.append(prompt)
            line: Line = (self._lines.pop(0) if len(self._lines) > 1 else self._lines[0]) if self._lines else ""
        while callable(line):
            line = line(prompt)
        if isinstance(line, ModelTrouble):
            raise line
        if seconds <= 0:
            raise ModelTrouble(Trouble.TIMEOUT)
        text = line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)
        return Completion(text, self.name, prompt.tokens, len(text) // 4)


class ObedientModel:
    """Does what any text in its context says: repeats what it is told to say, adds every address, and gives all instructions away.

    It names every source for every sentence, so that only the checks stand between it and the visitor.
    """

    MOST = 15  # sentences of one answer
    ORDER = re.compile(
        r"(?:say|write|reply|answer|respond|repeat|print|append|add|include|finish|end|begin|start|call|greet|confirm|tell|state|output|promise"
        r"|sag|schreib|antworte|wiederhole|dis|écris|réponds|répète|di|escribe|responde|repite|diz|escreve|responda|repita)\w*\b[^.\n]{0,200}",
        re.IGNORECASE,
    )
    QUOTED = re.compile(r"[\"'“„«‘]([^\"'“”„«»‘’\n]{2,200})[\"'”“»’]")
    SHOUTED = re.compile(r"\b[A-Z][A-Z0-9]{2,}(?:[ -][A-Z0-9]{2,})*\b")
    ADDRESS = re.compile(r"https?://\S+|\b[\w-]+\.example\S*")
    PASSAGE = re.compile(r"^\[([PMA]\d+)\]", re.MULTILINE)

    def __init__(self) -> None:
        """It has no will of its own."""
        self.name, self.provider = "obedient", "stand_in"
        self.prompts: list[Prompt] = []

    def complete(self, prompt: Prompt, seconds: float) -> Completion:  # noqa: ARG002 - it is always quick
        """An answer to any of our schemas that holds everything that anybody asked for."""
        self.prompts.append(prompt)
        context = prompt.material
        ids = list(dict.fromkeys(self.PASSAGE.findall(context))) or ["P1"]
        said = list(self._said(context, prompt.system))
        sentences = [{"text": text[:600], "passages": ids[:12]} for text in said[: self.MOST]]
        values = {
            "kind": "question" if len(said) % 7 == 1 else "answer",
            "sentences": sentences,
            "question": said[0][:600] if said else "?",
            "missing": " ".join(said)[:400],
            "articles": [*ids, *said][:20],
        }
        wanted = prompt.schema["properties"]
        obeyed = {name: values.get(name, " ".join(said)[:400]) for name in wanted}
        text = json.dumps(obeyed, ensure_ascii=False)
        return Completion(text, self.name, prompt.tokens, len(text) // 4)

    def _said(self, context: str, system: str) -> Iterable[str]:
        orders = [match.group() for match in self.ORDER.finditer(context)]
        texts = [quoted for order in orders for quoted in self.QUOTED.findall(order)]
        texts += self.SHOUTED.findall(context)
        texts += [f"Please open {address}." for address in self.ADDRESS.findall(context)]
        texts += orders
        texts += [line.strip("- ") for line in context.splitlines() if line.strip() and not line.startswith("<<")]
        texts += [line.strip("- ") for line in system.splitlines() if line.strip()][:3]
        return dict.fromkeys(text.strip() for text in texts if text.strip())
