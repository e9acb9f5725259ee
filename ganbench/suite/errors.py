"""What is wrong with a suite: every problem at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where: `file:line`, or the command-line option that said it."""

    where: str
    message: str

    def __str__(self) -> str:
        """Read as `suite.yaml:12: message`."""
        return f"{self.where}: {self.message}"


class SuiteError(Exception):
    """A suite, or another thing asked for, that cannot run as it stands; `problems` lists all that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep all problems, in the order of the file."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def wrong(where: object, message: str) -> SuiteError:
    """Make the error of a single problem: `where` is a file, or the option that said it."""
    return SuiteError([Problem(str(where), message)])


class Findings:
    """Problems found so far while a suite is read, each with its path of keys and positions in the file."""

    def __init__(self, locate: Callable[[Place], str] = lambda place: ".".join(map(str, place))) -> None:
        """Start with none; `locate` says where a place is, as `file:line`."""
        self.found: list[tuple[Place, str]] = []
        self.locate = locate

    def add(self, message: str, *place: str | int) -> None:
        """Note a problem at `place`."""
        self.found.append((place, message))

    def below(self, *place: str | int) -> bool:
        """Whether a problem was found at or below `place`."""
        return any(at[: len(place)] == place for at, _ in self.found)
