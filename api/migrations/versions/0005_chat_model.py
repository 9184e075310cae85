"""calls of the chat model."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('model_call',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=True),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('prompt', sa.String(length=20), nullable=False),
    sa.Column('fingerprint', sa.String(length=16), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('input_tokens', sa.Integer(), nullable=False),
    sa.Column('output_tokens', sa.Integer(), nullable=False),
    sa.Column('milliseconds', sa.Double(), nullable=True),
    sa.Column('ended', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_model_call_conversation_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_call'))
    )
    with op.batch_alter_table('model_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_call_conversation_id'), ['conversation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_model_call_day'), ['day'], unique=False)


def downgrade() -> None:
    """Back to the schema before."""
    with op.batch_alter_table('model_call', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_model_call_day'))
        batch_op.drop_index(batch_op.f('ix_model_call_conversation_id'))

    op.drop_table('model_call')
