"""Prompts: wording from prompts/*.md, and what is given as material between two marks that nobody can guess.

Whatever stands between the marks was written by others. The wording says so, the mark is new for every
request, and a text that holds the mark's form loses it. The wording itself is the same for every request,
so that a provider that keeps the beginning of a prompt need not read it again.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from assistant.chat_model import BYTES_A_TOKEN, Prompt

FOLDER = Path(__file__).parent / "prompts"
MARKS = re.compile(r"<<|>>")


@dataclass(frozen=True)
class Wording:
    """One file of prompts/, and the shape of its answer."""

    name: str
    shape: type[BaseModel]
    max_tokens: int

    @property
    def text(self) -> str:
        """The file's text, without a line break at the end."""
        return _text(self.name)

    @property
    def fingerprint(self) -> str:
        """Changes with the wording, the schema or the limit."""
        whole = json.dumps([self.text, schema_of(self.shape), self.max_tokens], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    def prompt(self, material: Mapping[str, str], mark: str, **values: str) -> Prompt:
        """The prompt with its material in blocks by name; `values` fill the places that the wording leaves open."""
        schema = schema_of(self.shape)
        filled = {"schema": json.dumps(schema["properties"], ensure_ascii=False), **values}
        system = re.sub(r"\{(\w+)\}", lambda found: filled.get(found[1], found[0]), self.text)
        blocks = "\n\n".join(f"<<{name} {mark}>>\n{harmless(text)}\n<<end {mark}>>" for name, text in material.items())
        return Prompt(self.name, system, f"MARK: {mark}\n\n{blocks}", schema, self.fingerprint, self.max_tokens)


def harmless(text: str) -> str:
    """A text that cannot end its block."""
    return MARKS.sub("‹", text)


def within(texts: list[str], tokens: int) -> list[str]:
    """As many of the texts, from the first on, as have about so many tokens; the first is cut when it alone has more."""
    kept: list[str] = []
    left = tokens * BYTES_A_TOKEN
    for text in texts:
        size = len(text.encode())
        if size > left:
            break
        kept.append(text)
        left -= size
    if texts and not kept:
        kept = [texts[0].encode()[:left].decode(errors="ignore")]
    return kept


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema that is sent: every field required and no other allowed, as strict schemas of the providers want it."""
    schema = shape.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        part["additionalProperties"] = False
        part["required"] = list(part.get("properties", {}))
        part.pop("description", None)
        for one in part.get("properties", {}).values():
            one.pop("default", None)
    return schema


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
