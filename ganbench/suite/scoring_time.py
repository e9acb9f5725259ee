"""How long scores take where a large network reads pictures without a GPU: said before anybody waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.suite.cohorts import Cohort


def slow_scores(cohorts: Sequence[Cohort], devices: Sequence[str]) -> list[str]:
    """Say for each extractor that is slow on CPUs how long it needs for the pictures of these cohorts.

    An extractor is slow that says `images_per_cpu_second`, a rough number for one core. Nothing is said where there
    is a GPU. The real pictures are not counted: they are read once, and kept.
    """
    if set(devices) != {"cpu"}:
        return []
    paces: dict[str, float] = {}
    reading: dict[str, list[Cohort]] = {}
    for cohort in cohorts:
        for extractor in cohort.scoring.settings.extractors if cohort.scoring.wanted else ():
            pace = getattr(extractor.create(), "images_per_cpu_second", None)
            if pace is not None:
                paces[extractor.label] = pace
                reading.setdefault(extractor.label, []).append(cohort)
    found = []
    for label, group in reading.items():
        workers = min(len(devices), len(group))
        found.append(_note(label, paces[label] * workers, workers, sum(map(_pictures, group))))
    return found


def _pictures(cohort: Cohort) -> int:
    """Samples x scores x cells."""
    return cohort.scoring.settings.samples * len(cohort.scoring.steps) * len(cohort.cells)


def _note(label: str, pace: float, workers: int, pictures: int) -> str:
    minutes = pictures / pace / 60
    time = f"{minutes / 60:.1f} hours" if minutes >= 90 else f"{max(1, round(minutes))} min"
    cores = "a CPU core" if workers == 1 else f"{workers} CPU cores"
    return (
        f"{label} reads about {pace:.3g} pictures a second on {cores}: the {pictures:,} to be scored (samples x scores "
        f"x cells) take about {time}; a GPU, a larger `evaluate.every` or fewer `evaluate.samples` take less"
    )
