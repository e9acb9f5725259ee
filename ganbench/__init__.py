"""ganbench: the harness that settles which GAN objective works."""

from __future__ import annotations

__version__ = "0.1.0"
