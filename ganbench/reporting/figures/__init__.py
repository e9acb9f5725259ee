"""The figures of a report, a module per question that they answer."""
