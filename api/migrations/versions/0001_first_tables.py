"""first tables."""

import sqlalchemy as sa
from alembic import op

from escalation.finding import POSTGRES_INDEX, SQLITE_INDEX


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this schema."""
    op.create_table('article',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=80), nullable=False),
    sa.Column('external_id', sa.String(length=300), nullable=False),
    sa.Column('slug', sa.String(length=160), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('title', sa.String(length=500), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('section', sa.String(length=200), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=True),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('wordings', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('imported_hash', sa.String(length=64), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('indexed_revision', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article')),
    sa.UniqueConstraint('slug', name=op.f('uq_article_slug')),
    sa.UniqueConstraint('source', 'external_id', name=op.f('uq_article_source'))
    )
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.create_index('ix_article_state_section', ['state', 'section'], unique=False)

    op.create_table('gap',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gap'))
    )
    with op.batch_alter_table('gap', schema=None) as batch_op:
        batch_op.create_index('ix_gap_at', ['at'], unique=False)

    op.create_table('index_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('switched_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_index_state'))
    )
    op.create_table('image',
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_image_article_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'name', name=op.f('pk_image'))
    )
    op.create_table('passage',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.String(length=40), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('heading_path', sa.JSON(), nullable=False),
    sa.Column('anchor', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('held', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_passage_article_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passage'))
    )
    with op.batch_alter_table('passage', schema=None) as batch_op:
        batch_op.create_index('ix_passage_article_live', ['article_id', 'live'], unique=False)
        batch_op.create_index('ix_passage_live_epoch', ['live', 'epoch'], unique=False)

    op.create_table('revision',
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=500), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('author', sa.String(length=200), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_revision_article_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'number', name=op.f('pk_revision'))
    )
    op.create_table('title_vector',
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('epoch', sa.String(length=40), nullable=False),
    sa.Column('encoder', sa.String(length=40), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('vectors', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_title_vector_article_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'epoch', 'encoder', name=op.f('pk_title_vector'))
    )
    op.create_table('conversation',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('holder', sa.String(length=16), nullable=False),
    sa.Column('locale', sa.String(length=16), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('boundary', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversation')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_conversation_secret_hash'))
    )
    op.create_table('message',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('client_message_id', sa.String(length=100), nullable=True),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_message_conversation_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    sa.UniqueConstraint('conversation_id', 'client_message_id', name=op.f('uq_message_conversation_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index('ix_message_conversation_id_id', ['conversation_id', 'id'], unique=False)

    op.create_table('feedback',
    sa.Column('message_id', sa.Integer(), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('helpful', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_feedback_conversation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_feedback_message_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_feedback'))
    )
    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_feedback_conversation_id'), ['conversation_id'], unique=False)

    op.create_table('turn',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=False),
    sa.Column('reply_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.String(length=40), nullable=True),
    sa.Column('question', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('probability', sa.Double(), nullable=True),
    sa.Column('trace', sa.JSON(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_turn_conversation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_turn_message_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['reply_id'], ['message.id'], name=op.f('fk_turn_reply_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_turn')),
    sa.UniqueConstraint('message_id', name=op.f('uq_turn_message_id'))
    )
    with op.batch_alter_table('turn', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_turn_conversation_id'), ['conversation_id'], unique=False)
        batch_op.create_index('ix_turn_outcome_started_at', ['outcome', 'started_at'], unique=False)

    op.create_table('guard_decision',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stage', sa.String(length=16), nullable=False),
    sa.Column('conversation_id', sa.String(length=64), nullable=True),
    sa.Column('turn_id', sa.String(length=64), nullable=True),
    sa.Column('version', sa.String(length=64), nullable=False),
    sa.Column('action', sa.String(length=16), nullable=True),
    sa.Column('policy', sa.String(length=40), nullable=True),
    sa.Column('blocked', sa.Boolean(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('milliseconds', sa.Double(), nullable=False),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('scores', sa.JSON(), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('salt', sa.String(length=64), nullable=True),
    sa.Column('text_digest', sa.String(length=64), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_guard_decision'))
    )
    with op.batch_alter_table('guard_decision', schema=None) as batch_op:
        batch_op.create_index('ix_guard_decision_at', ['at'], unique=False)
        batch_op.create_index('ix_guard_decision_conversation', ['conversation_id'], unique=False)

    op.create_table('guard_ledger_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_guard_ledger_head'))
    )
    op.create_table('guard_judgement',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('right', sa.Boolean(), nullable=False),
    sa.Column('by', sa.String(length=120), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['number'], ['guard_decision.number'], name=op.f('fk_guard_judgement_number'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_guard_judgement'))
    )
    op.create_table('reply_template',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reply_template')),
    sa.UniqueConstraint('name', 'language', name=op.f('uq_reply_template_name'))
    )
    op.create_table('ticket',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('conversation_id', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('queue', sa.String(length=40), nullable=False),
    sa.Column('priority', sa.String(length=8), nullable=False),
    sa.Column('urgency', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=24), nullable=False),
    sa.Column('reason_text', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('contact_name', sa.String(length=200), nullable=True),
    sa.Column('contact_email', sa.String(length=320), nullable=True),
    sa.Column('contact_verified', sa.Boolean(), nullable=False),
    sa.Column('role', sa.String(length=200), nullable=True),
    sa.Column('account', sa.String(length=200), nullable=True),
    sa.Column('plan', sa.String(length=200), nullable=True),
    sa.Column('goal', sa.Text(), nullable=True),
    sa.Column('symptom', sa.Text(), nullable=True),
    sa.Column('error_texts', sa.JSON(), nullable=False),
    sa.Column('tried', sa.JSON(), nullable=False),
    sa.Column('environment', sa.Text(), nullable=True),
    sa.Column('device', sa.String(length=200), nullable=True),
    sa.Column('browser', sa.String(length=200), nullable=True),
    sa.Column('os', sa.String(length=200), nullable=True),
    sa.Column('app_version', sa.String(length=100), nullable=True),
    sa.Column('page', sa.String(length=2000), nullable=True),
    sa.Column('locale', sa.String(length=35), nullable=True),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('asked', sa.JSON(), nullable=False),
    sa.Column('sources', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('findings', sa.JSON(), nullable=False),
    sa.Column('related', sa.JSON(), nullable=False),
    sa.Column('merged_into', sa.String(length=32), nullable=True),
    sa.Column('incident_id', sa.String(length=32), nullable=True),
    sa.Column('assignee', sa.String(length=200), nullable=True),
    sa.Column('rating', sa.Integer(), nullable=True),
    sa.Column('rating_text', sa.Text(), nullable=True),
    sa.Column('becomes_faq', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reopened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('boundary_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("merged_into IS NULL OR (state = 'closed' AND merged_into <> id)", name=op.f('ck_ticket_merged_is_closed')),
    sa.CheckConstraint('incident_id IS NULL OR incident_id <> id', name=op.f('ck_ticket_not_its_own_incident')),
    sa.ForeignKeyConstraint(['incident_id'], ['ticket.id'], name=op.f('fk_ticket_incident_id')),
    sa.ForeignKeyConstraint(['merged_into'], ['ticket.id'], name=op.f('fk_ticket_merged_into')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('number', name=op.f('uq_ticket_number'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_assignee', ['assignee', 'urgency', 'opened_at', 'number'], unique=False, sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.create_index('ix_ticket_closed', ['number'], unique=False, sqlite_where=sa.text("state = 'closed'"), postgresql_where=sa.text("state = 'closed'"))
        batch_op.create_index('ix_ticket_contact_email', ['contact_email'], unique=False)
        batch_op.create_index('ix_ticket_counted', ['queue', 'assignee', 'state'], unique=False, sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.create_index('ix_ticket_incident_id', ['incident_id'], unique=False)
        batch_op.create_index('ix_ticket_merged_into', ['merged_into'], unique=False)
        batch_op.create_index('ix_ticket_queue', ['queue', 'urgency', 'opened_at', 'number'], unique=False, sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.create_index('ix_ticket_resolved', ['number'], unique=False, sqlite_where=sa.text("state = 'resolved'"), postgresql_where=sa.text("state = 'resolved'"))
        batch_op.create_index('ix_ticket_unassigned', ['urgency', 'opened_at', 'number'], unique=False, sqlite_where=sa.text("assignee IS NULL AND state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("assignee IS NULL AND state NOT IN ('resolved', 'closed')"))
        batch_op.create_index('ix_ticket_waiting', ['urgency', 'opened_at', 'number'], unique=False, sqlite_where=sa.text("state IN ('waiting_customer', 'waiting_third_party')"), postgresql_where=sa.text("state IN ('waiting_customer', 'waiting_third_party')"))
        batch_op.create_index('ix_ticket_worklist', ['urgency', 'opened_at', 'number'], unique=False, sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.create_index('uq_ticket_live_conversation', ['conversation_id'], unique=True, sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))

    op.create_table('ticket_counter',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_ticket_counter'))
    )
    op.create_table('ticket_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_event_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_event')),
    sa.UniqueConstraint('ticket_id', 'version', name=op.f('uq_ticket_event_ticket_id')),
    sqlite_autoincrement=True
    )
    op.create_table('ticket_note',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_note_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_note'))
    )
    with op.batch_alter_table('ticket_note', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_note_ticket_id', ['ticket_id', 'at'], unique=False)

    op.create_table('ticket_text',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_text_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_ticket_text')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_ticket_text_ticket_id'))
    )
    op.create_table('account',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('email', name=op.f('uq_account_email'))
    )
    op.create_table('api_key',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_key')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_api_key_key_hash'))
    )
    op.create_table('article_feedback',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('article_id', sa.String(length=32), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('helpful', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=1000), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_feedback'))
    )
    with op.batch_alter_table('article_feedback', schema=None) as batch_op:
        batch_op.create_index('ix_article_feedback_article_id_at', ['article_id', 'at'], unique=False)

    op.create_table('invitation',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=True),
    sa.Column('invited_by', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_by', sa.String(length=32), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_invitation_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitation_token_hash'))
    )
    op.create_table('saved_view',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('query', sa.String(length=1000), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_saved_view_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_view')),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_saved_view_account_id'))
    )
    op.create_table('staff_session',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('csrf', sa.String(length=64), nullable=False),
    sa.Column('browser', sa.String(length=60), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_staff_session_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_staff_session_token_hash'))
    )
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_session_account_id'), ['account_id'], unique=False)

    op.create_table('ticket_seen',
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('ticket_id', sa.String(length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_ticket_seen_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'ticket_id', name=op.f('pk_ticket_seen'))
    )
    # The one row that says which epoch answers come from; it always exists.
    op.execute("INSERT INTO index_state (id, epoch, version, switched_at) VALUES (0, '', 0, '2026-01-01 00:00:00')")
    for statement in SQLITE_INDEX if op.get_bind().dialect.name == "sqlite" else POSTGRES_INDEX:
        op.execute(statement)


def downgrade() -> None:
    """Back to the one before."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE ticket_words")
    op.drop_table('ticket_seen')
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_session_account_id'))

    op.drop_table('staff_session')
    op.drop_table('saved_view')
    op.drop_table('invitation')
    with op.batch_alter_table('article_feedback', schema=None) as batch_op:
        batch_op.drop_index('ix_article_feedback_article_id_at')

    op.drop_table('article_feedback')
    op.drop_table('api_key')
    op.drop_table('account')
    op.drop_table('ticket_text')
    with op.batch_alter_table('ticket_note', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_note_ticket_id')

    op.drop_table('ticket_note')
    op.drop_table('ticket_event')
    op.drop_table('ticket_counter')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index('uq_ticket_live_conversation', sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
        batch_op.drop_index('ix_ticket_worklist', sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.drop_index('ix_ticket_waiting', sqlite_where=sa.text("state IN ('waiting_customer', 'waiting_third_party')"), postgresql_where=sa.text("state IN ('waiting_customer', 'waiting_third_party')"))
        batch_op.drop_index('ix_ticket_unassigned', sqlite_where=sa.text("assignee IS NULL AND state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("assignee IS NULL AND state NOT IN ('resolved', 'closed')"))
        batch_op.drop_index('ix_ticket_resolved', sqlite_where=sa.text("state = 'resolved'"), postgresql_where=sa.text("state = 'resolved'"))
        batch_op.drop_index('ix_ticket_queue', sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.drop_index('ix_ticket_merged_into')
        batch_op.drop_index('ix_ticket_incident_id')
        batch_op.drop_index('ix_ticket_counted', sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))
        batch_op.drop_index('ix_ticket_contact_email')
        batch_op.drop_index('ix_ticket_closed', sqlite_where=sa.text("state = 'closed'"), postgresql_where=sa.text("state = 'closed'"))
        batch_op.drop_index('ix_ticket_assignee', sqlite_where=sa.text("state NOT IN ('resolved', 'closed')"), postgresql_where=sa.text("state NOT IN ('resolved', 'closed')"))

    op.drop_table('ticket')
    op.drop_table('reply_template')
    op.drop_table('guard_judgement')
    op.drop_table('guard_ledger_head')
    with op.batch_alter_table('guard_decision', schema=None) as batch_op:
        batch_op.drop_index('ix_guard_decision_conversation')
        batch_op.drop_index('ix_guard_decision_at')

    op.drop_table('guard_decision')
    with op.batch_alter_table('turn', schema=None) as batch_op:
        batch_op.drop_index('ix_turn_outcome_started_at')
        batch_op.drop_index(batch_op.f('ix_turn_conversation_id'))

    op.drop_table('turn')
    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_feedback_conversation_id'))

    op.drop_table('feedback')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('ix_message_conversation_id_id')

    op.drop_table('message')
    op.drop_table('conversation')
    op.drop_table('title_vector')
    op.drop_table('revision')
    with op.batch_alter_table('passage', schema=None) as batch_op:
        batch_op.drop_index('ix_passage_live_epoch')
        batch_op.drop_index('ix_passage_article_live')

    op.drop_table('passage')
    op.drop_table('image')
    op.drop_table('index_state')
    with op.batch_alter_table('gap', schema=None) as batch_op:
        batch_op.drop_index('ix_gap_at')

    op.drop_table('gap')
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_index('ix_article_state_section')

    op.drop_table('article')
