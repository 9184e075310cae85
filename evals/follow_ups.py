"""Whether restating helps a question that leans on what came before: `python -m evals.follow_ups --data DIR`.

Every set in DIR/retrieval whose questions have a `history` is asked twice: the last message alone, and as
`assistant.question.restate` makes it stand alone. Questions with a gold article only; those that are left as
they are count the same in both.
"""

from pathlib import Path
from typing import Annotated

import typer

from assistant.question import Said, restate
from assistant.tables import Role
from evals import metrics
from evals.datasets import Query, RetrievalSet, retrieval_set
from evals.searching import Bench, KeptEncoder, ask, bench
from knowledge.embedding import MiniLM, Multilingual

ROLES = {"user": Role.VISITOR, "visitor": Role.VISITOR}


def restated(query: Query) -> str:
    """The question as the assistant would search for it."""
    history = [Said(ROLES.get(role, Role.ASSISTANT), text) for role, text in query.history]
    return restate(history, query.text).text


def hits(on: Bench, questions: list[tuple[str, Query]]) -> tuple[float, float]:
    """hit@1 and hit@5."""
    ranks = [metrics.rank_of_gold(ask(on, text).documents, query.gold) for text, query in questions]
    return sum(rank == 0 for rank in ranks) / len(ranks), sum(rank is not None and rank < 5 for rank in ranks) / len(ranks)  # noqa: PLR2004


def measure(data: RetrievalSet, on: Bench) -> str:
    """One line for all follow-ups of the set, one for those that restating changes."""
    asked = [query for query in data.queries if query.gold and query.history]
    changed = [query for query in asked if restated(query) != query.text]
    lines = []
    for name, queries in (("follow-ups", asked), ("restated ones", changed)):
        if queries:
            alone = hits(on, [(query.text, query) for query in queries])
            after = hits(on, [(restated(query), query) for query in queries])
            numbers = f"hit@1 / hit@5 alone {alone[0]:.3f} / {alone[1]:.3f}, restated {after[0]:.3f} / {after[1]:.3f}"
            lines.append(f"{data.name}: {len(queries)} {name}: {numbers}")
    return "\n".join(lines)


def main(
    *,
    data: Annotated[Path, typer.Option(help="A folder with retrieval/NAME/.")],
    cache: Annotated[Path, typer.Option(help="Where vectors and models are kept between runs.")] = Path("build/evals"),
) -> None:
    """Measure every set with histories."""
    encoder = KeptEncoder(lambda: MiniLM(cache), cache / "fit-minilm.npz")
    other = KeptEncoder(Multilingual, cache / "fit-multilingual.npz")
    for folder in sorted((data / "retrieval").iterdir()):
        found = retrieval_set(folder)
        if any(query.history for query in found.queries):
            typer.echo(measure(found, bench(found, encoder, other)))


if __name__ == "__main__":
    typer.run(main)
