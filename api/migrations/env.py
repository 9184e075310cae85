"""How alembic reaches the database: over a connection handed in, or the one that the settings name."""

from alembic import context

from api.database import TABLES, Database
from api.settings import from_environment

connection = context.config.attributes.get("connection")
if connection is None:
    connection = Database(from_environment().api.sql).engine.connect()

with connection:
    context.configure(
        connection=connection,
        target_metadata=TABLES,
        compare_type=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
