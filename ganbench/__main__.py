"""`python -m ganbench` is `ganbench`."""

from ganbench.cli import main

if __name__ == "__main__":
    main()
