"""clocks of tickets."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

LIVING = "state NOT IN ('resolved', 'closed')"
INDEXES = (
    ('ix_ticket_due', ['next_due_at', 'number'], LIVING),
    ('ix_ticket_queue_due', ['queue', 'next_due_at', 'number'], LIVING),
    ('ix_ticket_unassigned_due', ['next_due_at', 'number'], f"assignee IS NULL AND {LIVING}"),
    ('ix_ticket_assignee_due', ['assignee', 'next_due_at', 'number'], LIVING),
    ('ix_ticket_waiting_due', ['next_due_at', 'number'], "state IN ('waiting_customer', 'waiting_third_party')"),
    ('ix_ticket_clock_book', ['clock_book'], "state <> 'closed'"),
)


def upgrade() -> None:
    """To this schema. Clocks of tickets that live already are told from their events at the next start."""
    far = sa.Column('next_due_at', sa.DateTime(timezone=True), nullable=False, server_default='2200-01-01 00:00:00.000000')
    op.add_column('ticket', sa.Column('channel', sa.String(length=8), nullable=False, server_default='chat'))
    op.add_column('ticket', far)
    op.add_column('ticket', sa.Column('next_clock', sa.String(length=16), nullable=False, server_default=''))
    op.add_column('ticket', sa.Column('clock_state', sa.String(length=16), nullable=False, server_default=''))
    op.add_column('ticket', sa.Column('chain', sa.String(length=40), nullable=False, server_default=''))
    op.add_column('ticket', sa.Column('tier', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('ticket', sa.Column('clock_book', sa.String(length=12), nullable=False, server_default=''))
    op.execute("UPDATE ticket SET channel = 'form' WHERE reason = 'form'")
    for name, columns, where in INDEXES:
        op.create_index(name, 'ticket', columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table(
        'ticket_clock',
        sa.Column('ticket_id', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('queue', sa.String(length=40), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('span_s', sa.Integer(), nullable=False),
        sa.Column('spent_s', sa.Integer(), nullable=False),
        sa.Column('calendar', sa.String(length=80), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('alarm_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('warned_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('breached_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('tier', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_clock_ticket_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('ticket_id', 'kind', 'version', name=op.f('pk_ticket_clock')),
    )
    told = sa.text('alarm_at IS NOT NULL')
    op.create_index('ix_ticket_clock_alarm_at', 'ticket_clock', ['alarm_at'], sqlite_where=told, postgresql_where=told)
    op.create_index('ix_ticket_clock_started_at', 'ticket_clock', ['started_at'], unique=False)


def downgrade() -> None:
    """Back from this schema."""
    op.drop_table('ticket_clock')
    for name, _, _ in INDEXES:
        op.drop_index(name, 'ticket')
    for name in ('clock_book', 'tier', 'chain', 'clock_state', 'next_clock', 'next_due_at', 'channel'):
        op.drop_column('ticket', name)
