"""How alembic reaches the database: over a connection handed in, or the one that the settings name."""

from alembic import context

from api.database import TABLES, Database
from api.settings import from_environment
from escalation.finding import INDEX_NAMES


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:  # noqa: FBT001 - alembic calls it so
    """Whether the metadata should know a table, index or column: what full-text search needs is made by hand."""
    return kind not in {"table", "index", "column"} or not str(name).startswith(INDEX_NAMES)


connection = context.config.attributes.get("connection")
if connection is None:
    connection = Database(from_environment().api.sql).engine.connect()

with connection:
    context.configure(
        connection=connection,
        target_metadata=TABLES,
        compare_type=True,
        include_object=_ours,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
