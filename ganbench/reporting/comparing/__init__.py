"""Two sets of results against each other: two stores, two suites, or two reports."""
