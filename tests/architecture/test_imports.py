"""A folder imports only what stands to its right, and nothing imports tests."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.builders import ROOT

FOLDERS = ("assistant", "knowledge", "guardrails", "escalation", "api", "evals")
WEB = {
    "fastapi",
    "starlette",
    "uvicorn",
    "httpx",
    "httpx2",
    "requests",
    "aiohttp",
    "urllib3",
    "urllib.request",
    "http",
    "socket",
    "smtplib",
}
ORDER = {"evals": 0, "api": 1, "assistant": 2, "knowledge": 3, "guardrails": 3, "escalation": 3}


def modules() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]


def imported(file: Path) -> Iterator[str]:
    """The whole name of every module a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_the_contracts_of_the_imports_are_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_the_contracts_name_every_folder() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(contract for contract in linter["contracts"] if contract["type"] == "layers")["layers"]
    assert layers == ["evals", "api", "assistant", "knowledge | guardrails | escalation"]
    assert {folder for folder in FOLDERS if (ROOT / folder).exists()} <= set(linter["root_packages"])


def test_a_module_imports_only_to_its_right() -> None:
    """Said again without import-linter, so that a slip in its configuration does not hide one here."""
    wrong = []
    for file in modules():
        own = file.relative_to(ROOT).parts[0]
        tops = {name.partition(".")[0] for name in imported(file)} - {own}
        wrong += [
            f"{file.relative_to(ROOT)} imports {top}" for top in tops if top in {"tests", "conftest"} or ORDER.get(top, 9) <= ORDER[own]
        ]
    assert wrong == []


def test_http_stays_at_the_door() -> None:
    inside = [file for file in modules() if file.relative_to(ROOT).parts[0] not in {"api", "evals"}]
    assert [str(file) for file in inside if WEB & {*imported(file), *(name.partition(".")[0] for name in imported(file))}] == []


def test_no_folder_but_ours_is_a_package() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages <= {*FOLDERS, "tests"}
