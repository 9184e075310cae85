"""The parts of the README that come from the code: `python -m api.documentation` writes them in place.

Run after a setting changed; a test fails when README and code differ.
"""

import sys
from pathlib import Path
from typing import Any

from annotated_types import Ge, Gt, Le, Lt

from api.settings import PREFIX, every_setting

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: written by python -m api.documentation -->", "<!-- end of settings -->"


def settings_table() -> str:
    """Every setting with its default, range and meaning, as a Markdown table."""
    rows = [f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description}{_range(field)} |" for _, name, field in every_setting()]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def with_settings(readme: str) -> str:
    """The README with its settings table as the code has it. Raise ValueError when the marks are missing."""
    before, rest = readme.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


def _default(field: Any) -> str:
    value = field.default
    return "" if value in {"", None} else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _range(field: Any) -> str:
    words = {Ge: "from {}", Gt: "above {}", Le: "to {}", Lt: "below {}"}
    limits = [words[type(m)].format(next(iter(vars_of(m)))) for m in field.metadata if type(m) in words]
    return f" ({' '.join(limits)})" if limits else ""


def vars_of(limit: Any) -> list[Any]:
    """The one number of a limit."""
    return [getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name)]


if __name__ == "__main__":
    README.write_text(with_settings(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write("README.md written\n")
