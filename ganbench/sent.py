"""What of a store an MLflow already has: the marks in STORE/tracking, read without importing mlflow.

A mark names the run and the content that was sent, so a cell whose result changed (a retry, a late score) is
sent again; so is a suite's list of cells, whose mark names no cell, and what there is of its studies. Each is a line
at the end of a file, written at once: the last one of a cell counts, and half a line is none. Marks are lost without
harm: the tracker then finds the runs by their tags.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, unquote

from ganbench.paths import write_whole
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store import Store
from ganbench.studies import Piece, Studies, pieces

SQLITE = "sqlite:///"
ARTIFACTS = "mlartifacts"  # beside a database file
QUERY = re.compile(r"([?&][^=&#\s]*(?:pass|pwd|token|secret|key)[^=&#\s]*=)[^&#\s]+", re.IGNORECASE)
SHORTEST = 4  # letters of a password that is looked for on its own


@dataclass(frozen=True)
class Result:
    """One trained cell with all that the store says of it."""

    listed: Listed
    status: Status
    scores: Scores | None

    @property
    def name(self) -> str:
        """What a reader calls the cell."""
        return f"{self.listed.objective} · {self.listed.dataset} · {self.listed.seed}"

    @property
    def mark(self) -> str:
        """What tells the cell from every other one of its suite."""
        return f"{self.listed.key}/{self.listed.evaluation_key}"

    @cached_property
    def content(self) -> str:
        """A hash that changes when the cell's result does; which snapshots a store has is no part of that."""
        status = asdict(self.status)
        del status["snapshot_steps"]
        if status["energy_joules"] is None:  # as it was before there was such a number: what was sent stays sent
            del status["energy_joules"]
        return _digest([status, asdict(self.scores) if self.scores else None])


def trained(store: Store, rows: Iterable[Listed]) -> list[Result]:
    """List the trained cells among rows of a suite, each once for every evaluation of it."""
    results: dict[str, Result] = {}
    for listed in rows:
        status = None if listed.skipped else store.status(listed.key)
        if status is not None:
            result = Result(listed, status, store.scores(listed.key, listed.evaluation_key))
            results[result.mark] = result
    return list(results.values())


def unsent(store: Store, suite: SuiteRecord, uri: str | None) -> list[Result]:
    """List the trained cells of a suite that the MLflow at `uri` (None: the store's own) does not have as they are."""
    sent = _read(store, uri).get(suite.name, {})
    return [result for result in trained(store, suite.listed) if sent.get(result.mark) != result.content]


def pending(store: Store, suite: SuiteRecord, uri: str | None) -> list[str]:
    """List the keys of the cells that are to be sent."""
    return [result.listed.key for result in unsent(store, suite, uri)]


def remember(store: Store, suite: SuiteRecord, uri: str | None, result: Result, run: str) -> None:
    """Mark a result as sent."""
    _mark(store, uri, {"suite": suite.name, "cell": result.mark, "content": result.content, "run": run})


def list_is_sent(store: Store, suite: SuiteRecord, uri: str | None) -> bool:
    """Say whether the MLflow at `uri` has the suite's list of cells as it is."""
    return _read(store, uri).get(suite.name, {}).get("") == _digest(asdict(suite))


def remember_list(store: Store, suite: SuiteRecord, uri: str | None, run: str) -> None:
    """Mark a suite's list of cells as sent."""
    _mark(store, uri, {"suite": suite.name, "cell": "", "content": _digest(asdict(suite)), "run": run})


def unsent_pieces(store: Store, held: Studies, uri: str | None) -> list[Piece]:
    """List what there is of studies that the MLflow at `uri` does not have as it is."""
    sent = _read(store, uri).get(held.suite, {})
    return [piece for piece in pieces(held) if sent.get(piece.mark) != piece.content]


def remember_piece(store: Store, held: Studies, uri: str | None, piece: Piece, run: str) -> None:
    """Mark a study, or a trial of one, as sent."""
    _mark(store, uri, {"suite": held.suite, "cell": piece.mark, "content": piece.content, "run": run})


def _mark(store: Store, uri: str | None, mark: dict[str, str]) -> None:
    """Add a mark: in one write, since a sync may be killed at any time."""
    path = _path(store, uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({**mark, "uri": shown(places(store, uri)[0])})
    # Not through a link: a store that came from elsewhere must not have lines put at the end of any file.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with os.fdopen(handle, "ab", buffering=0) as file:
        # The line break comes first, so that what a killed sync left half written stays a line of its own.
        file.write(f"\n{line}".encode())


def identity(store: Store) -> str:
    """Return what tells this store from others that send to the same MLflow; it stays when the store moves."""
    path = store.root / ".identity"
    if not path.exists():
        write_whole(path, secrets.token_hex(8).encode())
    return path.read_text().strip()


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def places(store: Store, uri: str | None) -> tuple[str, str | None]:
    """Return the tracking URI and where artifacts go: beside a database file; None where a server decides."""
    database = _database(store, uri)
    if database is None:
        assert uri is not None
        return uri, None
    return uri or f"{SQLITE}{database}", (database.parent / ARTIFACTS).as_uri()


def shown(uri: str) -> str:
    """Return a URI without its password, or secrets in its query."""
    user, colon, password = _secret(uri).partition(":")
    if colon:
        uri = uri.replace(f"{user}:{password}@", f"{user}:***@", 1)
    return QUERY.sub(r"\1***", uri)


def hidden(text: str, uri: str | None) -> str:
    """Return a text, such as an error's, without what `shown` leaves out of the URI."""
    if uri is None:
        return text
    text = text.replace(uri, shown(uri))
    user, colon, password = _secret(uri).partition(":")
    if colon:
        # What reads a URI wrongly names the part of the password that comes before a `/` that should not be in it.
        first = re.split(r"[/?#@]", password)[0]
        text = text.replace(f"{user}:{password}@", f"{user}:***@").replace(f"{user}:{first}", f"{user}:***")
        for form in (password, unquote(password), quote(password, safe=""), first):
            # A short one would be found in words that it has nothing to do with.
            text = text.replace(form, "***") if len(form) >= SHORTEST else text
    return QUERY.sub(r"\1***", text)


def _secret(uri: str) -> str:
    """Return what stands before the `@` of a URI, even where a password holds what it may not, such as `/`."""
    rest = uri.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return authority.rpartition("@")[0]
    broken = ":" in authority and "@" in rest and not authority.rpartition(":")[2].isdecimal()
    return rest.rpartition("@")[0] if broken else ""


def _database(store: Store, uri: str | None) -> Path | None:
    if uri is None:
        return store.root.resolve() / "mlflow.db"
    return Path(uri.removeprefix(SQLITE)).resolve() if uri.startswith(SQLITE) else None


def _path(store: Store, uri: str | None) -> Path:
    # Neither a store that moves nor a password that changes is another MLflow.
    database = _database(store, uri)
    name = "" if database == _database(store, None) else str(database or shown(uri or ""))
    return store.root / "tracking" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.jsonl"


def _read(store: Store, uri: str | None) -> dict[str, dict[str, str]]:
    """Return the content that was sent, by suite and by the cell's mark."""
    database, path = _database(store, uri), _path(store, uri)
    if (database is not None and not database.exists()) or not path.exists():
        return {}
    sent: dict[str, dict[str, str]] = {}
    for line in path.read_text(errors="replace").splitlines():
        with suppress(json.JSONDecodeError, KeyError, TypeError):  # half a line marks nothing
            mark: dict[str, str] = json.loads(line)
            sent.setdefault(mark["suite"], {})[mark["cell"]] = mark["content"]
    return sent
