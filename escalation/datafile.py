"""An operator's YAML file, read so that whatever is wrong with it is told with its file, line and field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml

LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(m|min|h|d)")
SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 86_400}
LONGEST = timedelta(days=3660)  # of a length of time; what is longer is a slip of the pen
BIGGEST = 1_000_000  # bytes of a file


class BadData(Exception):
    """A data file holds something that cannot be used; the message names file, line and field."""


@dataclass(frozen=True)
class Place:
    """A value of the file, and where it stands."""

    file: Path
    path: str
    node: yaml.Node

    def wrong(self, sentence: str) -> BadData:
        """The error to raise about this value."""
        return BadData(f"{self.file}, line {self.node.start_mark.line + 1}{', ' + self.path if self.path else ''}: {sentence}")

    def fields(self, known: Sequence[str] = (), needed: Sequence[str] = ()) -> dict[str, "Place"]:
        """The values of a mapping by name, in the file's order; without `known` any name will do. Raise BadData."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("must be a mapping of names to values")
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            here = Place(self.file, f"{self.path}.{name}" if self.path else name, key)
            if not name or name in found:
                raise here.wrong("stands here twice" if name else "a name must be a word")
            if known and name not in known:
                raise here.wrong(f"is not known here; known are {', '.join(known)}")
            found[name] = Place(self.file, here.path, value)
        if missing := [name for name in needed if name not in found]:
            raise self.wrong(f"{', '.join(missing)} must be given")
        return found

    def items(self) -> list["Place"]:
        """The values of a list; a single value is a list of one. Raise BadData."""
        if isinstance(self.node, yaml.ScalarNode):
            return [self]
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("must be a list")
        return [Place(self.file, f"{self.path}[{at}]", node) for at, node in enumerate(self.node.value)]

    def text(self, longest: int = 400) -> str:
        """A text that says something. Raise BadData."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            raise self.wrong("must be a text")
        if len(self.node.value) > longest:
            raise self.wrong(f"may have at most {longest} characters")
        return str(self.node.value.strip())

    def one_of(self, choices: Sequence[str]) -> str:
        """One of these words. Raise BadData."""
        said = self.text()
        if said not in choices:
            raise self.wrong(f"{said!r} is not one of {', '.join(choices)}")
        return said

    def number(self, least: float, most: float) -> float:
        """A number within a range. Raise BadData."""
        try:
            value = float(self.text())
        except ValueError:
            raise self.wrong("must be a number") from None
        if not least <= value <= most:
            raise self.wrong(f"must lie from {least:g} to {most:g}")
        return value

    def length(self) -> timedelta:
        """A length of time such as 45m, 1.5h or 2d (48 hours). Raise BadData."""
        match = LENGTH.fullmatch(self.text())
        value = timedelta(seconds=float(match[1]) * SECONDS[match[2]]) if match else timedelta()
        if not timedelta() < value <= LONGEST:
            raise self.wrong("must be a length of time such as 45m, 8h or 2d, longer than nothing")
        return value


def read(file: Path) -> Place:
    """The whole file. Raise BadData when it is missing, too big or no YAML."""
    try:
        raw = file.read_bytes()
        text = raw[: BIGGEST + 1].decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{file}: cannot be read ({error})") from error
    if len(raw) > BIGGEST:
        raise BadData(f"{file}: is bigger than {BIGGEST} bytes")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise BadData(f"{file}{line}: is no YAML: {getattr(error, 'problem', None) or error}") from error
    if node is None:
        raise BadData(f"{file}: is empty")
    return Place(file, "", node)


def words(length: timedelta) -> str:
    """A length of time in its biggest two units, such as "2 h 30 min" or "1 d 4 h"."""
    minutes = round(abs(length).total_seconds() / 60)
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or "less than a minute"


def by_name(place: Place, known: Mapping[str, object]) -> str:
    """The name of something defined elsewhere. Raise BadData."""
    return place.one_of(list(known))
