"""what is owed to people outside, and where it goes."""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('conversation_key',
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_conversation_key_conversation_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('secret_hash', name=op.f('pk_conversation_key'))
    )
    with op.batch_alter_table('conversation_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conversation_key_conversation_id'), ['conversation_id'], unique=False)

    op.create_table('delivery',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('way', sa.String(length=8), nullable=False),
    sa.Column('recipient', sa.String(length=64), nullable=False),
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=300), nullable=False),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_state_created_at', ['state', 'created_at'], unique=False)
        batch_op.create_index('ix_delivery_waiting', ['way', 'next_at'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('outbox',
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_outbox'))
    )
    op.create_table('address_check',
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('caller', sa.String(length=64), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('email', name=op.f('pk_address_check'))
    )
    with op.batch_alter_table('address_check', schema=None) as batch_op:
        batch_op.create_index('ix_address_check_caller', ['caller', 'asked_at'], unique=False)

    op.create_table('visitor_link',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=8), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_visitor_link'))
    )
    with op.batch_alter_table('visitor_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_visitor_link_conversation_id'), ['conversation_id'], unique=False)

    op.create_table('webhook',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('format', sa.String(length=8), nullable=False),
    sa.Column('secret', sa.String(length=100), nullable=False),
    sa.Column('old_secret', sa.String(length=100), nullable=False),
    sa.Column('old_secret_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('kinds', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=100), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('disabled_why', sa.String(length=200), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('rests_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook'))
    )
    op.create_table('follow',
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('what', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_follow_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'what', name=op.f('pk_follow'))
    )
    op.create_table('unwanted_mail',
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('choice', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_unwanted_mail_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'choice', name=op.f('pk_unwanted_mail'))
    )


def downgrade() -> None:
    """To the schema before."""
    op.drop_table('unwanted_mail')
    op.drop_table('follow')
    op.drop_table('webhook')
    with op.batch_alter_table('visitor_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visitor_link_conversation_id'))

    op.drop_table('visitor_link')
    with op.batch_alter_table('address_check', schema=None) as batch_op:
        batch_op.drop_index('ix_address_check_caller')

    op.drop_table('address_check')
    op.drop_table('outbox')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index('ix_delivery_state_created_at')

    op.drop_table('delivery')
    with op.batch_alter_table('conversation_key', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversation_key_conversation_id'))

    op.drop_table('conversation_key')
