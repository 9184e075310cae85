"""Sizes and habits that keep the code readable, counted from its syntax trees."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.builders import ROOT

FOLDERS = ("assistant", "knowledge", "guardrails", "escalation", "api", "evals")
MODULES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")) if "versions" not in file.parts]
MODULE_LINES, FUNCTION_LINES, LONG_FUNCTION_LINES = 400, 60, 80


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def may_be_longer(file: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Routes, command-line functions and take_turn."""
    at_the_door = file.parent.name == "routes" or file.name in {"cli.py", "__main__.py", "console.py"}
    return function.name == "take_turn" or (at_the_door and bool(function.decorator_list))


def offenders(does: Callable[[Path], Iterable[object]]) -> list[str]:
    """What each module is told off for."""
    return [f"{file.relative_to(ROOT)}: {what}" for file in MODULES for what in does(file)]


def test_a_module_has_at_most_400_lines() -> None:
    def lines(file: Path) -> Iterator[int]:
        count = len(file.read_text(encoding="utf-8").splitlines())
        return iter([count] if count > MODULE_LINES else [])

    assert offenders(lines) == []


def test_a_function_has_at_most_60_lines() -> None:
    def long(file: Path) -> Iterator[str]:
        for function in functions(file):
            count = (function.end_lineno or 0) - function.lineno + 1
            if count > (LONG_FUNCTION_LINES if may_be_longer(file, function) else FUNCTION_LINES):
                yield f"{function.name} has {count} lines"

    assert offenders(long) == []


def test_a_module_says_first_why_it_exists() -> None:
    def silent(file: Path) -> Iterator[str]:
        if file.read_text(encoding="utf-8").strip() and not ast.get_docstring(tree(file)):
            yield "no docstring"

    assert offenders(silent) == []


def test_no_function_is_more_complex_than_ten() -> None:
    folders = [folder for folder in FOLDERS if (ROOT / folder).exists()]
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "C901",
        "--config",
        "lint.mccabe.max-complexity=10",
        *folders,
    ]
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


OUTSIDE = {
    "os.environ",
    "os.getenv",
    "environ",
    "getenv",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "datetime.datetime.now",
    "datetime.date.today",
}
DOOR = {"api/settings.py", "api/bootstrap.py"}
# `firstline demo` sets two defaults for the settings it then reads; the exam names the moment it was run and silences libraries
EXCUSED = {"api/cli/main.py", "evals"}


def test_only_bootstrap_and_settings_ask_the_world_for_time_and_environment() -> None:
    def asks(file: Path) -> set[str]:
        name = str(file.relative_to(ROOT))
        excused = name in DOOR or name in EXCUSED or name.partition("/")[0] in EXCUSED
        return set() if excused else OUTSIDE & set(uses(file))

    assert offenders(asks) == []


RANDOM = {"random", "uuid.uuid4", "uuid4", "secrets.token_hex", "secrets.token_urlsafe", "secrets.token_bytes"}


def test_only_bootstrap_draws_random_numbers() -> None:
    def draws(file: Path) -> set[str]:
        name = str(file.relative_to(ROOT))
        return set() if name in DOOR or name.startswith("evals/") else RANDOM & set(uses(file))

    assert offenders(draws) == []


FORBIDDEN = {"trust_remote_code", "allow_pickle", "shell"}  # as arguments, unless they are False
DANGEROUS = {
    "pickle",
    "cPickle",
    "dill",
    "shelve",
    "marshal",
    "joblib",
    "cloudpickle",
    "torch.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.Loader",
    "yaml.CLoader",
    "yaml.FullLoader",
    "yaml.UnsafeLoader",
    "eval",
    "exec",
    "os.system",
}


def test_nothing_is_loaded_that_could_run() -> None:
    def loads(file: Path) -> Iterator[str]:
        yield from DANGEROUS & set(uses(file))
        for call in (node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)):
            for keyword in call.keywords:
                if keyword.arg in FORBIDDEN and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
                    yield f"{keyword.arg} in line {call.lineno}"

    assert offenders(loads) == []
