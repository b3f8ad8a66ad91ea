"""Alembic migrations: one head, tested up and down on both databases."""
