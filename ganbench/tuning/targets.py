"""Where a tuned suite and a report are to go: seen before anything is trained."""

from __future__ import annotations

import os
from pathlib import Path

from ganbench.suite.errors import Findings, wrong
from ganbench.suite.schema import check_name

WRITTEN = "# Written by `ganbench tune`"


def check_targets(suite: Path, write: Path | None, report: Path | None) -> None:
    """Raise SuiteError where a tuned suite, or a report, could not be written, or would take the place of something.

    A file that `ganbench tune` wrote may be written anew; no other one is touched, least of all the suite itself.
    """
    if write is not None:
        _check_file(suite, write)
    if report is not None:
        _check_folder("--report", report)


def _check_file(suite: Path, write: Path) -> None:
    if write.resolve() == suite.resolve() or (write.exists() and suite.exists() and write.samefile(suite)):
        raise wrong("--write", f"{write} is the suite itself; give the tuned suite a name of its own")
    if write.is_dir():
        raise wrong("--write", f"{write} is a folder; name a file in it, such as {write / f'{suite.stem}.tuned.yaml'}")
    if write.exists() and not _ours(write):
        raise wrong("--write", f"{write} exists, and `ganbench tune` did not write it; name another file, or remove it")
    findings = Findings()
    check_name(write.stem, findings)
    if findings.found:
        raise wrong("--write", f"{write}: the suite in it takes its name from it; {findings.found[0][1]}")
    _check_folder("--write", write.parent)


def _check_folder(option: str, folder: Path) -> None:
    at = next(each for each in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(each))
    if not at.is_dir():
        raise wrong(option, f"{at} is no folder")
    if not os.access(at, os.W_OK | os.X_OK):
        raise wrong(option, f"nothing can be written to {at}")


def _ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(len(WRITTEN)) == WRITTEN
    except (OSError, UnicodeDecodeError):
        return False
