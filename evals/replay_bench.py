"""How long the guards need to judge recorded traffic again: `python -m evals.replay_bench --data DIR` (bar: 10,000 turns in 60 s)."""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from api.bootstrap import encoders
from api.settings import from_environment
from evals.datasets import rows
from guardrails.replay import Recorded, replay, verdicts
from guardrails.screen import Guard

TURNS = 10_000


def questions(data: Path) -> list[str]:
    """Distinct questions of every intent set, in the order of the files."""
    files = sorted((data / "intents").glob("*.jsonl"))
    return list(dict.fromkeys(str(row["text"]) for file in files for row in rows(file)))[:TURNS]


def main(*, data: Annotated[Path, typer.Option(help="A folder with intents/*.jsonl.")]) -> None:
    """Judge 10,000 questions, then the same again as recorded traffic: no decision may differ."""
    with tempfile.TemporaryDirectory() as folder:
        settings = from_environment({"FIRSTLINE_DATA": folder})
        guard = Guard.build(encoders(settings), Path(folder) / "models")
        texts = questions(data)
        recorded = [
            Recorded(number, text, verdict.action.value if verdict.action else None, verdict.blocked)
            for number, (text, verdict) in enumerate(zip(texts, verdicts(texts, guard), strict=True))
        ]
        started = time.perf_counter()
        report = replay(recorded, guard)
        seconds = time.perf_counter() - started
    typer.echo(f"{report.messages} turns replayed in {seconds:.1f} s; {report.messages - report.unchanged} decided otherwise")


if __name__ == "__main__":
    typer.run(main)
