"""the library: who reviewed an article, when it is due, and what readers make of it."""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ai_generated', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('reviewed_by', sa.String(length=32), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('review_due', sa.Date(), nullable=True))
        batch_op.create_index('ix_article_updated_at', ['updated_at', 'id'], unique=False)
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.alter_column('ai_generated', existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
        batch_op.alter_column('reviewed_by', existing_type=sa.String(length=32), existing_nullable=False, server_default=None)
    op.create_table('article_views',
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('article_id', 'day', name=op.f('pk_article_views'))
    )
    op.create_table('article_cited',
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('message_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('article_id', 'message_id', name=op.f('pk_article_cited'))
    )
    op.create_index('ix_article_cited_at', 'article_cited', ['at', 'article_id'], unique=False)
    op.create_index('ix_article_cited_message_id', 'article_cited', ['message_id'], unique=False)
    op.create_table('cited_up_to',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cited_up_to'))
    )
    op.execute('INSERT INTO cited_up_to (id, message_id) VALUES (0, 0)')


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table('cited_up_to')
    op.drop_index('ix_article_cited_message_id', 'article_cited')
    op.drop_index('ix_article_cited_at', 'article_cited')
    op.drop_table('article_cited')
    op.drop_table('article_views')
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_index('ix_article_updated_at')
        batch_op.drop_column('review_due')
        batch_op.drop_column('reviewed_at')
        batch_op.drop_column('reviewed_by')
        batch_op.drop_column('ai_generated')
