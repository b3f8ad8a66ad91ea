"""The console's programming interface, by version."""
