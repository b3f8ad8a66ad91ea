"""the audit refuses changes; clues can be searched

Revision: 0002, after 0001.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQLITE_UP = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE VIRTUAL TABLE clue_search USING fts5(
        terms, content='clue_terms', content_rowid='seq', tokenize='ascii')""",
    """CREATE TRIGGER clue_terms_added AFTER INSERT ON clue_terms BEGIN
        INSERT INTO clue_search(rowid, terms) VALUES (new.seq, new.terms); END""",
    """CREATE TRIGGER clue_terms_removed AFTER DELETE ON clue_terms BEGIN
        INSERT INTO clue_search(clue_search, rowid, terms) VALUES ('delete', old.seq, old.terms); END""",
    """CREATE TRIGGER clue_terms_changed AFTER UPDATE ON clue_terms BEGIN
        INSERT INTO clue_search(clue_search, rowid, terms) VALUES ('delete', old.seq, old.terms);
        INSERT INTO clue_search(rowid, terms) VALUES (new.seq, new.terms); END""",
)
_SQLITE_DOWN = (
    "DROP TRIGGER clue_terms_changed",
    "DROP TRIGGER clue_terms_removed",
    "DROP TRIGGER clue_terms_added",
    "DROP TABLE clue_search",
    "DROP TRIGGER audit_no_delete",
    "DROP TRIGGER audit_no_update",
)
_POSTGRESQL_UP = (
    """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    "CREATE INDEX ix_clue_terms_search ON clue_terms USING gin (to_tsvector('simple', terms))",
)
_POSTGRESQL_DOWN = (
    "DROP INDEX ix_clue_terms_search",
    "DROP TRIGGER audit_no_change ON audit",
    "DROP FUNCTION audit_is_append_only",
)


def upgrade() -> None:
    for statement in _SQLITE_UP if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _SQLITE_DOWN if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_DOWN:
        op.execute(statement)
