"""The knowledge loop's exams as commands of `python -m evals`: loop, near-duplicates, grouping-speed, choose-grouping, fit-duplicates."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

app = typer.Typer()
Data = Annotated[Path, typer.Option(help="A folder with intents/banking77.jsonl.")]
Cache = Annotated[Path, typer.Option(help="Where vectors and models are kept between runs.")]
CACHE = Path("build/evals")


@app.command()
def loop(*, data: Data, draws: int = 5, cache: Cache = CACHE) -> None:
    """Play the whole loop on banking77 and print the table: each draw, the mean and the worst."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import loop_exam  # noqa: PLC0415

    bank = loop_exam.bank(data / "intents" / "banking77.jsonl")
    played = []
    for seed in range(draws):
        played.append(loop_exam.play(bank, seed, from_environment(), cache, lambda line: typer.echo(line, err=True)))
        typer.echo(f"draw {seed}: {_flat(asdict(played[-1]))}")
    rows = [_flat(asdict(one)) for one in played]
    for name, share in {"lowest": 0.0, "highest": 1.0}.items():
        typer.echo(f"{name}: { {key: float(np.quantile([row[key] for row in rows], share)) for key in rows[0]} }")
    typer.echo(f"mean: { {key: round(float(np.mean([row[key] for row in rows])), 3) for key in rows[0]} }")


@app.command("near-duplicates")
def near_duplicates(*, cache: Cache = CACHE) -> None:
    """Near-duplicates and planted identifiers, on sets written by somebody else."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import grouping_exam  # noqa: PLC0415

    found = grouping_exam.blind(from_environment(), cache)
    for name in ("recall", "flagged", "survived", "answered"):
        measure = getattr(found, name)
        typer.echo(f"{name}: {measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f}) of {measure.n}")
    typer.echo(f"leaks: {len(found.leaks)}")
    for leak in found.leaks:
        typer.echo(f"  {leak}")


@app.command("grouping-speed")
def grouping_speed(*, questions: int = 100_000, seed: int = 0) -> None:
    """How long it takes to group so many invented vectors, and to place one more."""
    from knowledge.grouping import group  # noqa: PLC0415
    from knowledge.groups import Places  # noqa: PLC0415
    from knowledge.loop_tables import GroupId  # noqa: PLC0415

    random = np.random.default_rng(seed)
    centres = random.normal(size=(questions // 20, 896)).astype(np.float32)
    rows = centres[random.integers(0, len(centres), questions)] + 0.8 * random.normal(size=(questions, 896)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    started = time.perf_counter()
    labels = group(rows)
    typer.echo(f"{questions} questions in {labels.max() + 1} groups: {time.perf_counter() - started:.0f} s")
    places = Places(rows.shape[1])
    order = np.argsort(labels, kind="stable")
    for at, members in enumerate(np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)):
        places.add(GroupId(str(at)), rows[members].mean(axis=0), len(members))
    times = []
    for row in rows[:200]:
        started = time.perf_counter()
        places.nearest(row)
        times.append(1000 * (time.perf_counter() - started))
    typer.echo(f"one placed: median {np.median(times):.1f} ms, 95 % within {np.quantile(times, 0.95):.1f} ms")


@app.command("choose-grouping")
def choose_grouping(*, data: Data, cache: Cache = CACHE) -> None:
    """How questions are best grouped, on clinc150 and our own replies: what every choice gives; the shipped one should be the best."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import grouping_choice as choice  # noqa: PLC0415
    from evals.laboratory import laboratory  # noqa: PLC0415

    with laboratory(from_environment(), cache) as lab:
        intents = choice.intents_of(data / "intents" / "clinc150.jsonl", lab)
        few, many = choice.few(intents), choice.many(intents)
    typer.echo("some hundred questions: apart, weight of replies, differ: found of 20, in vain, strangers, gathered")
    for method, grade in few:
        numbers = " ".join(f"{value:6.3f}" for value in vars(grade).values())
        typer.echo(f"  {method.apart:.2f} {method.replies:.1f} {method.differ:.2f}: {numbers}")
    best = choice.best_of_few(few)
    typer.echo(f"best: {best.apart} {best.replies} {best.differ}")
    typer.echo("thousands of questions: apart: accuracy, NMI")
    for method, accuracy, nmi in many:
        typer.echo(f"  {method.apart:.2f}: {accuracy:.3f} {nmi:.3f}")


@app.command("fit-duplicates")
def fit_duplicates(*, data: Data, cache: Cache = CACHE) -> None:
    """Fit what tells whether two FAQs say the same, and print the weights that `knowledge/duplicates.py` has."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import fit_duplicates as fit  # noqa: PLC0415
    from evals.laboratory import laboratory  # noqa: PLC0415

    with laboratory(from_environment(), cache) as lab:
        pairs = fit.pairs(data / "intents" / "banking77.jsonl", lab)
    for line in fit.report(pairs):
        typer.echo(line)


def _flat(row: dict[str, object]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": round(float(number), 3) for inner, number in value.items()}
        else:
            flat[name] = round(float(str(value)), 3)
    return flat
