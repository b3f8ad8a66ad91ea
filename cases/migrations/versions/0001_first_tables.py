"""first tables

Revision: 0001, the first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=96), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("digest", name=op.f("uq_audit_digest")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "counter",
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area", "name", name=op.f("pk_counter")),
    )
    op.create_table(
        "officer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
        sa.UniqueConstraint("name", name=op.f("uq_officer_name")),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("uscc", name=op.f("uq_operator_uscc")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("max_pages", sa.Integer(), nullable=True),
        sa.Column("render", sa.String(length=8), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("name", name=op.f("uq_plan_name")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_next_due"), ["next_due"], unique=False)

    op.create_table(
        "reading",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_reading")),
    )
    op.create_table(
        "register_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_row")),
    )
    with op.batch_alter_table("register_row", schema=None) as batch_op:
        batch_op.create_index("ix_register_row_kind_key", ["kind", "key"], unique=False)

    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("entry_urls", sa.JSON(), nullable=False),
        sa.Column("render", sa.String(length=8), nullable=False),
        sa.Column("robots", sa.String(length=8), nullable=False),
        sa.Column("delay_s", sa.Double(), nullable=True),
        sa.Column("max_pages", sa.Integer(), nullable=True),
        sa.Column("platform_id", sa.String(length=64), nullable=True),
        sa.Column("operator_name", sa.Text(), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["platform_id"], ["site.id"], name=op.f("fk_site_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_uscc"), ["uscc"], unique=False)

    op.create_table(
        "access_log",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=96), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_access_log_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_log_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_log_officer_id"), ["officer_id"], unique=False)

    op.create_table(
        "case_file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=True),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_case_file_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_file_officer_id"), ["officer_id"], unique=False)
        batch_op.create_index("ix_case_file_state_opened_at", ["state", "opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_file_uscc"), ["uscc"], unique=False)

    op.create_table(
        "listing",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_listing_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("site_id", "key", name=op.f("uq_listing_site_id_key")),
    )
    op.create_table(
        "mute",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("claim_digest", sa.String(length=64), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_mute_officer_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_mute_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mute")),
    )
    with op.batch_alter_table("mute", schema=None) as batch_op:
        batch_op.create_index("ix_mute_rule_until", ["rule", "until"], unique=False)

    op.create_table(
        "officer_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_officer_session_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_officer_session_token_hash")),
    )
    with op.batch_alter_table("officer_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_officer_session_officer_id"), ["officer_id"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("snapshot_id", sa.String(length=64), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_page_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("site_id", "url_key", name=op.f("uq_page_site_id_url_key")),
    )
    op.create_table(
        "patrol_run",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("plan_id", sa.String(length=32), nullable=True),
        sa.Column("seeds", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("tallies", sa.JSON(), nullable=False),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_patrol_run_plan_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_patrol_run_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_run")),
    )
    with op.batch_alter_table("patrol_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_run_site_id"), ["site_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_patrol_run_started_at"), ["started_at"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("officer_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_saved_view_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("officer_id", "name", name=op.f("uq_saved_view_officer_id_name")),
    )
    op.create_table(
        "site_host",
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_host_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("host", "site_id", name=op.f("pk_site_host")),
    )
    with op.batch_alter_table("site_host", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_host_site_id"), ["site_id"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("page_id", sa.String(length=32), nullable=False),
        sa.Column("listing_id", sa.String(length=64), nullable=True),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("obstacle", sa.String(length=16), nullable=True),
        sa.Column("rendered", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reading_digest", sa.String(length=64), nullable=False),
        sa.Column("evidence_ids", sa.JSON(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_snapshot_listing_id")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_snapshot_page_id")),
        sa.ForeignKeyConstraint(["reading_digest"], ["reading.digest"], name=op.f("fk_snapshot_reading_digest")),
        sa.ForeignKeyConstraint(["run_id"], ["patrol_run.id"], name=op.f("fk_snapshot_run_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_snapshot_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("run_id", "url_key", name=op.f("uq_snapshot_run_id_url_key")),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index("ix_snapshot_listing_id_captured_at", ["listing_id", "captured_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_snapshot_page_id"), ["page_id"], unique=False)
        batch_op.create_index("ix_snapshot_site_id_captured_at", ["site_id", "captured_at"], unique=False)

    op.create_table(
        "clue",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("addends", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("listing_id", sa.String(length=64), nullable=True),
        sa.Column("listing_title", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=8), nullable=True),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("claim_digest", sa.String(length=64), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("jurisdiction", sa.Text(), nullable=True),
        sa.Column("jurisdiction_reason", sa.Text(), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("assignee_id", sa.String(length=32), nullable=True),
        sa.Column("claim_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duplicate_of", sa.String(length=32), nullable=True),
        sa.Column("previous_id", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["officer.id"], name=op.f("fk_clue_assignee_id")),
        sa.ForeignKeyConstraint(["duplicate_of"], ["clue.id"], name=op.f("fk_clue_duplicate_of")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_clue_listing_id")),
        sa.ForeignKeyConstraint(["previous_id"], ["clue.id"], name=op.f("fk_clue_previous_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_clue_site_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_clue_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clue")),
    )
    with op.batch_alter_table("clue", schema=None) as batch_op:
        batch_op.create_index("ix_clue_area_open_score_id", ["area", "open", "score", "id"], unique=False)
        batch_op.create_index("ix_clue_assignee_id_due", ["assignee_id", "due"], unique=False)
        batch_op.create_index("ix_clue_category_score_id", ["category", "score", "id"], unique=False)
        batch_op.create_index("ix_clue_fingerprint", ["fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index("ix_clue_open_score_id", ["open", "score", "id"], unique=False)
        batch_op.create_index("ix_clue_rule_claim", ["rule", "claim_digest"], unique=False)
        batch_op.create_index("ix_clue_score_id", ["score", "id"], unique=False)
        batch_op.create_index("ix_clue_severity_score_id", ["severity", "open", "score", "id"], unique=False)
        batch_op.create_index("ix_clue_site_id_score_id", ["site_id", "score", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_snapshot_id"), ["snapshot_id"], unique=False)
        batch_op.create_index("ix_clue_state_score_id", ["state", "score", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_uscc"), ["uscc"], unique=False)
        batch_op.create_index(
            "uq_clue_live_fingerprint",
            ["fingerprint"],
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )

    op.create_table(
        "evidence",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("timestamp_state", sa.String(length=12), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_evidence_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "exempted",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_exempted_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exempted")),
    )
    with op.batch_alter_table("exempted", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exempted_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "need",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_need_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_need")),
    )
    with op.batch_alter_table("need", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_need_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "observation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("listing_id", sa.String(length=64), nullable=False),
        sa.Column("fact", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_observation_listing_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_observation_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation")),
        sa.UniqueConstraint(
            "listing_id", "fact", "at", "snapshot_id", name=op.f("uq_observation_listing_id_fact_at_snapshot_id")
        ),
    )
    op.create_table(
        "review_seen",
        sa.Column("listing_id", sa.String(length=64), nullable=False),
        sa.Column("review_id", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_review_seen_listing_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_review_seen_snapshot_id")),
        sa.PrimaryKeyConstraint("listing_id", "review_id", name=op.f("pk_review_seen")),
    )
    op.create_table(
        "capture_job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_id", sa.String(length=96), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_capture_job_clue_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_capture_job_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture_job")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_capture_job_snapshot_id")),
    )
    with op.batch_alter_table("capture_job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_job_clue_id"), ["clue_id"], unique=False)
        batch_op.create_index("ix_capture_job_state_created_at", ["state", "created_at"], unique=False)

    op.create_table(
        "case_clue",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_clue_case_id")),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_case_clue_clue_id")),
        sa.PrimaryKeyConstraint("case_id", "clue_id", name=op.f("pk_case_clue")),
    )
    with op.batch_alter_table("case_clue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_clue_clue_id"), ["clue_id"], unique=False)

    op.create_table(
        "case_evidence",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("evidence_id", sa.String(length=96), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_evidence_case_id")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_case_evidence_evidence_id")),
        sa.PrimaryKeyConstraint("case_id", "evidence_id", name=op.f("pk_case_evidence")),
    )
    op.create_table(
        "clue_evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_clue_evidence_clue_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_clue_evidence_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clue_evidence")),
        sa.UniqueConstraint(
            "clue_id", "snapshot_id", "evidence_id", name=op.f("uq_clue_evidence_clue_id_snapshot_id_evidence_id")
        ),
    )
    with op.batch_alter_table("clue_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clue_evidence_evidence_id"), ["evidence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clue_evidence_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "clue_terms",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_clue_terms_clue_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_clue_terms")),
        sa.UniqueConstraint("clue_id", name=op.f("uq_clue_terms_clue_id")),
    )
    op.create_table(
        "disposition",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("claim_digest", sa.String(length=64), nullable=False),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_disposition_clue_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_disposition_officer_id")),
        sa.ForeignKeyConstraint(["undone_by"], ["officer.id"], name=op.f("fk_disposition_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition")),
    )
    with op.batch_alter_table("disposition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disposition_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_disposition_clue_id"), ["clue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_disposition_officer_id"), ["officer_id"], unique=False)
        batch_op.create_index("ix_disposition_rule_at", ["rule", "at"], unique=False)

    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=96), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_finding_clue_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_finding_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_clue_id"), ["clue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_snapshot_id"), ["snapshot_id"], unique=False)

    op.create_table(
        "note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=True),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_note_case_id")),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_note_clue_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_note_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_note_clue_id"), ["clue_id"], unique=False)

    op.create_table(
        "rectify_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("clue_id", sa.String(length=32), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("before_snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("after_snapshot_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=True),
        sa.Column("data_class", sa.String(length=16), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["after_snapshot_id"], ["snapshot.id"], name=op.f("fk_rectify_order_after_snapshot_id")
        ),
        sa.ForeignKeyConstraint(
            ["before_snapshot_id"], ["snapshot.id"], name=op.f("fk_rectify_order_before_snapshot_id")
        ),
        sa.ForeignKeyConstraint(["clue_id"], ["clue.id"], name=op.f("fk_rectify_order_clue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectify_order")),
    )
    with op.batch_alter_table("rectify_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rectify_order_clue_id"), ["clue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rectify_order_due"), ["due"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("rectify_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rectify_order_due"))
        batch_op.drop_index(batch_op.f("ix_rectify_order_clue_id"))

    op.drop_table("rectify_order")
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_note_clue_id"))
        batch_op.drop_index(batch_op.f("ix_note_case_id"))

    op.drop_table("note")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_snapshot_id"))
        batch_op.drop_index(batch_op.f("ix_finding_clue_id"))

    op.drop_table("finding")
    with op.batch_alter_table("disposition", schema=None) as batch_op:
        batch_op.drop_index("ix_disposition_rule_at")
        batch_op.drop_index(batch_op.f("ix_disposition_officer_id"))
        batch_op.drop_index(batch_op.f("ix_disposition_clue_id"))
        batch_op.drop_index(batch_op.f("ix_disposition_batch_id"))

    op.drop_table("disposition")
    op.drop_table("clue_terms")
    with op.batch_alter_table("clue_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clue_evidence_snapshot_id"))
        batch_op.drop_index(batch_op.f("ix_clue_evidence_evidence_id"))

    op.drop_table("clue_evidence")
    op.drop_table("case_evidence")
    with op.batch_alter_table("case_clue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_clue_clue_id"))

    op.drop_table("case_clue")
    with op.batch_alter_table("capture_job", schema=None) as batch_op:
        batch_op.drop_index("ix_capture_job_state_created_at")
        batch_op.drop_index(batch_op.f("ix_capture_job_clue_id"))

    op.drop_table("capture_job")
    op.drop_table("review_seen")
    op.drop_table("observation")
    with op.batch_alter_table("need", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_need_snapshot_id"))

    op.drop_table("need")
    with op.batch_alter_table("exempted", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exempted_snapshot_id"))

    op.drop_table("exempted")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_snapshot_id"))

    op.drop_table("evidence")
    with op.batch_alter_table("clue", schema=None) as batch_op:
        batch_op.drop_index("uq_clue_live_fingerprint", sqlite_where=sa.text("live"), postgresql_where=sa.text("live"))
        batch_op.drop_index(batch_op.f("ix_clue_uscc"))
        batch_op.drop_index("ix_clue_state_score_id")
        batch_op.drop_index(batch_op.f("ix_clue_snapshot_id"))
        batch_op.drop_index("ix_clue_site_id_score_id")
        batch_op.drop_index("ix_clue_severity_score_id")
        batch_op.drop_index("ix_clue_score_id")
        batch_op.drop_index("ix_clue_rule_claim")
        batch_op.drop_index("ix_clue_open_score_id")
        batch_op.drop_index(batch_op.f("ix_clue_listing_id"))
        batch_op.drop_index("ix_clue_fingerprint")
        batch_op.drop_index("ix_clue_category_score_id")
        batch_op.drop_index("ix_clue_assignee_id_due")
        batch_op.drop_index("ix_clue_area_open_score_id")

    op.drop_table("clue")
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_index("ix_snapshot_site_id_captured_at")
        batch_op.drop_index(batch_op.f("ix_snapshot_page_id"))
        batch_op.drop_index("ix_snapshot_listing_id_captured_at")

    op.drop_table("snapshot")
    with op.batch_alter_table("site_host", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_host_site_id"))

    op.drop_table("site_host")
    op.drop_table("saved_view")
    with op.batch_alter_table("patrol_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_patrol_run_started_at"))
        batch_op.drop_index(batch_op.f("ix_patrol_run_site_id"))

    op.drop_table("patrol_run")
    op.drop_table("page")
    with op.batch_alter_table("officer_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_officer_session_officer_id"))

    op.drop_table("officer_session")
    with op.batch_alter_table("mute", schema=None) as batch_op:
        batch_op.drop_index("ix_mute_rule_until")

    op.drop_table("mute")
    op.drop_table("listing")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_file_uscc"))
        batch_op.drop_index("ix_case_file_state_opened_at")
        batch_op.drop_index(batch_op.f("ix_case_file_officer_id"))

    op.drop_table("case_file")
    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_log_officer_id"))
        batch_op.drop_index(batch_op.f("ix_access_log_at"))

    op.drop_table("access_log")
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_uscc"))

    op.drop_table("site")
    op.drop_table("setting")
    with op.batch_alter_table("register_row", schema=None) as batch_op:
        batch_op.drop_index("ix_register_row_kind_key")

    op.drop_table("register_row")
    op.drop_table("reading")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_next_due"))

    op.drop_table("plan")
    op.drop_table("operator")
    op.drop_table("officer")
    op.drop_table("counter")
    op.drop_table("calendar_day")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_subject")

    op.drop_table("audit")
