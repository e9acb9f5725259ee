"""Execution: workers, and what they are given to do."""
