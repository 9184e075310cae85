"""knowledge loop."""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('gap_group',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('recent', sa.Integer(), nullable=False),
    sa.Column('before', sa.Integer(), nullable=False),
    sa.Column('unresolved', sa.Double(), nullable=False),
    sa.Column('agent_minutes', sa.Double(), nullable=False),
    sa.Column('rank', sa.Double(), nullable=False),
    sa.Column('purity', sa.Double(), nullable=False),
    sa.Column('decided_size', sa.Integer(), nullable=False),
    sa.Column('policy', sa.String(length=40), nullable=True),
    sa.Column('link', sa.String(length=2000), nullable=True),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gap_group'))
    )
    with op.batch_alter_table('gap_group', schema=None) as batch_op:
        batch_op.create_index('ix_gap_group_state_rank', ['state', 'rank'], unique=False)

    op.create_table('loop_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('read_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rebuilt_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rebuilt_size', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loop_state'))
    )
    op.create_table('suggestion',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.String(length=32), nullable=True),
    sa.Column('article_id', sa.String(length=32), nullable=True),
    sa.Column('article_revision', sa.Integer(), nullable=True),
    sa.Column('others', sa.JSON(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('title', sa.String(length=500), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('wordings', sa.JSON(), nullable=False),
    sa.Column('similar', sa.JSON(), nullable=False),
    sa.Column('rank', sa.Double(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('edited_by', sa.String(length=200), nullable=True),
    sa.Column('snoozed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=200), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=True),
    sa.Column('reason_text', sa.Text(), nullable=False),
    sa.Column('overridden', sa.Boolean(), nullable=False),
    sa.Column('merged_into', sa.String(length=32), nullable=True),
    sa.Column('published_revision', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_suggestion_article_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['gap_group.id'], name=op.f('fk_suggestion_group_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion'))
    )
    with op.batch_alter_table('suggestion', schema=None) as batch_op:
        batch_op.create_index('ix_suggestion_article_id', ['article_id'], unique=False)
        batch_op.create_index('ix_suggestion_state_rank', ['state', 'rank'], unique=False)
        batch_op.create_index('uq_suggestion_waiting_group', ['group_id'], unique=True, sqlite_where=sa.text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"), postgresql_where=sa.text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"))

    op.create_table('gap_vector',
    sa.Column('gap_id', sa.String(length=32), nullable=False),
    sa.Column('family', sa.String(length=40), nullable=False),
    sa.Column('main', sa.LargeBinary(), nullable=False),
    sa.Column('multilingual', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['gap_id'], ['gap.id'], name=op.f('fk_gap_vector_gap_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('gap_id', name=op.f('pk_gap_vector'))
    )
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.add_column(sa.Column('learned', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.alter_column('learned', existing_type=sa.JSON(), existing_nullable=False, server_default=None)

    op.execute('DELETE FROM gap')  # they are derived from stored turns and tickets, and will be again
    with op.batch_alter_table('gap', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kinds', sa.JSON(), nullable=False))
        batch_op.add_column(sa.Column('weight', sa.Double(), nullable=False))
        batch_op.add_column(sa.Column('person', sa.String(length=64), nullable=False))
        batch_op.add_column(sa.Column('asked_id', sa.String(length=32), nullable=False))
        batch_op.add_column(sa.Column('turn_id', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('ticket_id', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('agent_minutes', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('policy', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('group_id', sa.String(length=32), nullable=True))
        batch_op.alter_column('conversation_id',
               existing_type=sa.VARCHAR(length=32),
               type_=sa.String(length=64),
               existing_nullable=False)
        batch_op.create_index('ix_gap_conversation_id', ['conversation_id'], unique=False)
        batch_op.create_index('ix_gap_group_id', ['group_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_gap_group_id'), 'gap_group', ['group_id'], ['id'], ondelete='SET NULL')
        batch_op.drop_column('reason')



def downgrade() -> None:
    """Back to the one before."""
    op.execute('DELETE FROM gap')  # they are derived from stored turns and tickets, and will be again
    with op.batch_alter_table('gap', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reason', sa.VARCHAR(length=40), nullable=False))
        batch_op.drop_constraint(batch_op.f('fk_gap_group_id'), type_='foreignkey')
        batch_op.drop_index('ix_gap_group_id')
        batch_op.drop_index('ix_gap_conversation_id')
        batch_op.alter_column('conversation_id',
               existing_type=sa.String(length=64),
               type_=sa.VARCHAR(length=32),
               existing_nullable=False)
        batch_op.drop_column('group_id')
        batch_op.drop_column('policy')
        batch_op.drop_column('agent_minutes')
        batch_op.drop_column('ticket_id')
        batch_op.drop_column('turn_id')
        batch_op.drop_column('asked_id')
        batch_op.drop_column('person')
        batch_op.drop_column('weight')
        batch_op.drop_column('kinds')

    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_column('learned')

    op.drop_table('gap_vector')
    with op.batch_alter_table('suggestion', schema=None) as batch_op:
        batch_op.drop_index('uq_suggestion_waiting_group', sqlite_where=sa.text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"), postgresql_where=sa.text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"))
        batch_op.drop_index('ix_suggestion_state_rank')
        batch_op.drop_index('ix_suggestion_article_id')

    op.drop_table('suggestion')
    op.drop_table('loop_state')
    with op.batch_alter_table('gap_group', schema=None) as batch_op:
        batch_op.drop_index('ix_gap_group_state_rank')

    op.drop_table('gap_group')
