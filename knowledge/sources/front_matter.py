"""The YAML block at the top of a Markdown file, read as text with line numbers and without YAML's surprises.

The block is composed by yaml's safe loader but never constructed: `language: no` stays "no", `1.10` stays "1.10",
a wrong date is nobody's business, and every value knows its line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from knowledge.sources.reading import Unreadable

LONGEST = 16 * 1024  # characters: a title, a summary and a hundred wordings fit; yaml in Python is slow beyond
DEEPEST = 4  # mappings and lists in each other

Value = str | tuple[str, ...]


@dataclass(frozen=True)
class Parted:
    """A Markdown file in two: the named values with their lines, and the body with the line it begins on."""

    body: str
    body_line: int = 1
    values: Mapping[str, Value] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """A value as one text; a list is no text. Raise Unreadable."""
        value = self.values.get(key, "")
        if not isinstance(value, str) or (key in self.lines and key not in self.values):
            raise Unreadable(f"{key} in the front matter must be one text", self.lines[key])
        return value

    def list(self, key: str) -> tuple[str, ...]:
        """A value as a list; a text is split at commas for `tags`, else it is a list of one."""
        value = self.values.get(key, ())
        if key in self.lines and key not in self.values:
            raise Unreadable(f"{key} in the front matter must be a list of texts", self.lines[key])
        if isinstance(value, str):
            return tuple(value.split(",")) if key == "tags" else (value,)
        return value


def parted(text: str) -> Parted:
    """Front matter and body. Raise Unreadable with the line."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return Parted(text)
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in {"---", "..."}), None)
    if end is None:
        raise Unreadable("the front matter that begins here is never closed by a line ---", 1)
    block = "\n".join(lines[1:end])
    if len(block) > LONGEST:
        raise Unreadable(f"the front matter is longer than {LONGEST // 1024} kB", 1)
    values, places = _read(block)
    return Parted("\n".join(lines[end + 1 :]), end + 2, values, places)


def _read(block: str) -> tuple[dict[str, Value], dict[str, int]]:
    try:
        _refuse_bombs(block)
        root = yaml.compose(block, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = block[: int(error.position)].count("\n")
        raise Unreadable("the front matter holds a character that YAML does not allow", line + 2) from error
    except yaml.MarkedYAMLError as error:
        reason = f"the front matter is not YAML: {error.problem or error.context}"
        raise Unreadable(reason, _line(error.problem_mark or error.context_mark)) from error
    if root is None:
        return {}, {}
    if not isinstance(root, yaml.MappingNode):
        raise Unreadable("the front matter must be lines of the form name: value", 2)
    return _pairs(root)


def _refuse_bombs(block: str) -> None:
    """Aliases can multiply a small text into gigabytes, deep nesting exhausts the stack: neither belongs here."""
    depth = 0
    for event in yaml.parse(block, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(
                "the front matter may not use YAML's anchors and aliases (& and *); put the text in quotes",
                _line(event.start_mark),
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise Unreadable("the front matter is nested too deep", _line(event.start_mark))


def _pairs(root: yaml.MappingNode) -> tuple[dict[str, Value], dict[str, int]]:
    values: dict[str, Value] = {}
    lines: dict[str, int] = {}
    for key_node, node in root.value:
        line = _line(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            raise Unreadable("a name in the front matter must be a word", line)
        key = str(key_node.value)
        if key in lines:
            raise Unreadable(f"{key} stands twice in the front matter", line)
        lines[key] = line
        value = _value(node)
        if value is not None:
            values[key] = value
    return values, lines


def _line(mark: Any) -> int:
    """The line in the file: yaml counts from 0, and the first line is the opening ---."""
    return mark.line + 2 if mark else 1


def _value(node: yaml.Node) -> Value | None:
    """Text or a list of texts; None for what holds anything else, which only an unknown name may."""
    if isinstance(node, yaml.ScalarNode):
        return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return tuple(str(item.value) for item in node.value)
    return None
