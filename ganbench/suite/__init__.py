"""Suites: what is to be compared, read from YAML, and the plan of its cells."""
