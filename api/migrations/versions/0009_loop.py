"""who did what to golden questions; why a group is held back, its mean, and replies beside questions, as grouping sees them."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('golden_event',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('golden_id', sa.String(length=32), nullable=False),
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('act', sa.String(length=16), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_golden_event'))
    )
    op.create_index('ix_golden_event_article_id_at', 'golden_event', ['article_id', 'at'], unique=False)
    with op.batch_alter_table('gap_group', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mean', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('family', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('held', sa.String(length=200), nullable=True))
    with op.batch_alter_table('gap_vector', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reply_main', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('reply_multilingual', sa.LargeBinary(), nullable=True))
    with op.batch_alter_table('loop_state', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tended_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """To the schema before."""
    with op.batch_alter_table('loop_state', schema=None) as batch_op:
        batch_op.drop_column('tended_at')

    with op.batch_alter_table('gap_vector', schema=None) as batch_op:
        batch_op.drop_column('reply_multilingual')
        batch_op.drop_column('reply_main')

    with op.batch_alter_table('gap_group', schema=None) as batch_op:
        batch_op.drop_column('held')
        batch_op.drop_column('family')
        batch_op.drop_column('mean')

    op.drop_index('ix_golden_event_article_id_at', table_name='golden_event')
    op.drop_table('golden_event')
