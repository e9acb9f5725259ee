"""`ganbench fetch`: gets ahead what runs need, for machines without a network."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import DataOption, PluginOption, errors_told, human_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.needs import Need


def fetch(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...", help="Datasets, extractors (such as mnist, inception) or suites.", show_default=False
        ),
    ],
    data: DataOption = None,
    plugin: PluginOption = None,
) -> None:
    """Get and check datasets and extractors ahead: downloads what is missing, trains the classifiers of suites.

    Afterwards `ganbench run` needs no network. Weights and classifiers go to the cache folder (GANBENCH_CACHE).
    """
    with errors_told():
        from ganbench.cli.registries import registries
        from ganbench.paths import cache_root, data_root

        registries(plugin or ())
        roots = (Path(data) if data else data_root(), cache_root())
        needs = _needs(names, *roots)  # a wrong name is said before anything is fetched
        failed = [need.name for need in needs if not _got(need, *roots)]
    if failed:
        typer.echo(f"{len(failed)} of {len(needs)} failed: {', '.join(failed)}", err=True)
        raise typer.Exit(1)


def _needs(names: Sequence[str], data_root: Path, cache: Path) -> list[Need]:
    from ganbench.needs import named, of_suite
    from ganbench.registry import UnknownName
    from ganbench.suite.errors import SuiteError

    found: dict[str, Need] = {}
    wrong = []
    for name in names:
        is_suite = name.endswith((".yaml", ".yml")) or Path(name).is_file()
        try:
            for need in of_suite(Path(name), data_root, cache) if is_suite else [named(name)]:
                found.setdefault(need.name, need)
        except (UnknownName, SuiteError) as error:
            wrong.append(str(error))
    if wrong:
        raise UnknownName("\n".join(wrong))
    return list(found.values())


def _got(need: Need, data_root: Path, cache: Path) -> bool:
    """Get one thing, telling how it goes; False when it could not be got."""
    from ganbench.needs import get, look

    missing, started = "", perf_counter()
    try:
        missing = look(need, data_root, cache).missing
        if missing:
            typer.echo(f"{need.name}: {missing}")
        read = get(need, data_root, cache)
    except Exception as error:  # a download or a plugin may raise anything; the other names go on
        said = " ".join(str(error).split()) or type(error).__name__
        typer.echo(f"{need.name}: failed: {said}", err=True)
        return False
    how = f"ready after {human_seconds(perf_counter() - started)}" if missing else "was there already"
    typer.echo(f"{need.name}: {how} ({read})")
    return True
