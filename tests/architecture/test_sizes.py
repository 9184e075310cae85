"""Sizes and habits that keep the code readable, counted from its syntax trees."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ROOT

FOLDERS = ("assistant", "knowledge", "guardrails", "escalation", "api", "evals")
MODULES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")) if "versions" not in file.parts]
NAMES = [str(file.relative_to(ROOT)) for file in MODULES]
EVERY_MODULE = pytest.mark.parametrize("file", MODULES, ids=NAMES)
MODULE_LINES, FUNCTION_LINES, LONG_FUNCTION_LINES = 400, 60, 80


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def may_be_longer(file: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Routes, command-line functions and take_turn."""
    at_the_door = file.parent.name == "routes" or file.name in {"cli.py", "__main__.py", "console.py"}
    return function.name == "take_turn" or (at_the_door and bool(function.decorator_list))


@EVERY_MODULE
def test_a_module_has_at_most_400_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


@EVERY_MODULE
def test_a_function_has_at_most_60_lines(file: Path) -> None:
    for function in functions(file):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= (LONG_FUNCTION_LINES if may_be_longer(file, function) else FUNCTION_LINES), f"{function.name} has {lines} lines"


@EVERY_MODULE
def test_a_module_says_first_why_it_exists(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(tree(file)), "no docstring"


def test_no_function_is_more_complex_than_ten() -> None:
    folders = [folder for folder in FOLDERS if (ROOT / folder).exists()]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "C901", "--config", "lint.mccabe.max-complexity=10", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def uses(file: Path) -> Iterator[str]:
    """Every dotted name a module uses, such as os.environ or datetime.now."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


OUTSIDE = {"os.environ", "os.getenv", "environ", "getenv", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "datetime.datetime.now", "datetime.date.today"}
DOOR = {"api/settings.py", "api/bootstrap.py"}
# `firstline demo` sets two defaults for the settings it then reads; the exam names the moment it was run and silences libraries
EXCUSED = {"api/cli.py", "evals"}


@EVERY_MODULE
def test_only_bootstrap_and_settings_ask_the_world_for_time_and_environment(file: Path) -> None:
    name = str(file.relative_to(ROOT))
    if name not in DOOR and name not in EXCUSED and name.partition("/")[0] not in EXCUSED:
        assert OUTSIDE.isdisjoint(uses(file))


RANDOM = {"random", "uuid.uuid4", "uuid4", "secrets.token_hex", "secrets.token_urlsafe", "secrets.token_bytes"}


@EVERY_MODULE
def test_only_bootstrap_draws_random_numbers(file: Path) -> None:
    name = str(file.relative_to(ROOT))
    if name not in DOOR and not name.startswith("evals/"):
        assert RANDOM.isdisjoint(uses(file))


DANGEROUS = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec", "os.system"}


@EVERY_MODULE
def test_nothing_is_loaded_that_could_run(file: Path) -> None:
    assert DANGEROUS.isdisjoint(uses(file))
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                assert not (keyword.arg in {"trust_remote_code", "allow_pickle", "shell"} and value is not False), f"{keyword.arg} in line {node.lineno}"
