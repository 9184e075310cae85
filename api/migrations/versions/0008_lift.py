"""golden questions, and the lift of accepted suggestions."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('golden_question',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('protected', sa.Boolean(), nullable=False),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.String(length=200), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_golden_question_article_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_golden_question')),
    sa.UniqueConstraint('key', name=op.f('uq_golden_question_key'))
    )
    op.create_index(op.f('ix_golden_question_article_id'), 'golden_question', ['article_id'], unique=False)
    op.create_index('ix_golden_question_protected_added_at', 'golden_question', ['protected', 'added_at'], unique=False)
    op.create_table('suggestion_lift',
    sa.Column('suggestion_id', sa.String(length=32), nullable=False),
    sa.Column('replay', sa.JSON(), nullable=False),
    sa.Column('replayed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lift', sa.JSON(), nullable=False),
    sa.Column('measured_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['suggestion_id'], ['suggestion.id'], name=op.f('fk_suggestion_lift_suggestion_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('suggestion_id', name=op.f('pk_suggestion_lift'))
    )


def downgrade() -> None:
    """To the schema before."""
    op.drop_table('suggestion_lift')
    with op.batch_alter_table('golden_question', schema=None) as batch_op:
        batch_op.drop_index('ix_golden_question_protected_added_at')
        batch_op.drop_index(batch_op.f('ix_golden_question_article_id'))

    op.drop_table('golden_question')
