"""Reports of odd, hostile and old stores: each is right about what there is and says what is missing."""

import csv
import html
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ganbench.reporting import write_report
from ganbench.reporting.contents import PICTURE_BYTES
from ganbench.reporting.drawing import short
from ganbench.reporting.frame import Frame, load
from ganbench.reporting.ranking import Ranking, rankings
from ganbench.store import Store

NO_NUMBER = re.compile(r"(?<![\w.])(nan|NaN|None|-?inf|Infinity|undefined|null|<NA>|NaT)(?![\w])")
READ_ALOUD = ("alt", "aria-label", "data-name")
NAMES = ("<b>bold</b>", "a|b", 'it\'s "q" & more', "x" * 199 + "1", "x" * 199 + "2", "\u5bf9\u6297")
STEPS = (500, 1000, 2000)


@dataclass
class Shown(HTMLParser):
    """A page as it is read: all `words`, and by name the captions and words of figures and the rows of tables."""

    path: Path
    words: list[str] = field(default_factory=list)
    captions: dict[str, str] = field(default_factory=dict)
    drawings: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._figure = self._table = ""
        self.source = self.path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self._open.append(tag)
        self.words += [value for name in READ_ALOUD if (value := found.get(name))]
        if tag == "figure":
            self._figure = found["id"] or ""
            self.captions[self._figure] = self.drawings[self._figure] = ""
        elif tag == "table":
            self._table = found["data-name"] or ""
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:  # those that have no end of their own
            pass

    def handle_data(self, data: str) -> None:
        if {"script", "style"} & set(self._open):
            return
        self.words.append(data.strip())
        if "figcaption" in self._open:
            self.captions[self._figure] += data
        elif "figure" in self._open:
            self.drawings[self._figure] += f"{data}\n"
        if {"td", "th"} & set(self._open):
            self.tables[self._table][-1][-1] += data


@dataclass(frozen=True)
class Written:
    """A report, what it was made from, and its page as it is read."""

    frame: Frame
    rankings: list[Ranking]
    folder: Path
    page: Shown

    def ranking_table(self, place: int = 0) -> dict[str, dict[str, str]]:
        """Return the rows of a ranking's table by contender; of headings that are there twice the first."""
        slug = self.rankings[place].slug.lower()
        headings, *rows = self.page.tables[f"{slug}-ranking"]
        found = [dict(reversed(list(zip(headings, row, strict=True)))) for row in rows]
        return {row["Contender"]: row for row in found}


def _scores(**values: float | None) -> list[dict[str, float | None]]:
    return [{"step": step, **values} for step in STEPS]


def _names(builder: Any) -> None:
    for name in NAMES:
        for seed in range(2):
            builder.add(name, "ring8", seed, pictures=True, rows=_scores(modes=7.0 + seed, high_quality=0.5))
        builder.add(name, "digits", 0, pictures=True, rows=_scores(fid=9.0), traced=False)


def _lost(builder: Any) -> None:
    for seed in range(3):
        builder.add("hinge", "ring8", seed, "diverged", pictures=True)
        builder.add("r3gan", "ring8", seed, "timed_out", pictures=True)
        builder.add("minimax", "ring8", seed, "failed")
        builder.add("hinge", "digits", seed, "missing")
        builder.add("r3gan", "digits", seed, "missing")


def _gaps(builder: Any) -> None:
    for seed in range(6):
        some: dict[str, float] = {"high_quality": 0.5 + 0.05 * seed} if seed < 3 else {}
        builder.add("hinge", "ring8", seed, rows=_scores(modes=3.0 + seed % 4, **some), pictures=seed < 3)
        builder.add("r3gan", "ring8", seed, rows=_scores(modes=2.0 + seed % 4, **some))
        builder.add("minimax", "ring8", seed, rows=_scores(modes=None if seed % 2 else 8.0))
        builder.add("least_squares", "ring8", seed, rows=_scores(modes=float("inf")))
        builder.add("hinge", "digits", seed, rows=_scores(fid=5.0 + seed))


def _flat(builder: Any) -> None:
    for place, objective in enumerate(("hinge", "r3gan", "minimax")):
        for seed in range(5):
            builder.add(objective, "ring8", seed, rows=_scores(modes=0.0), traced=False)
            builder.add(objective, "digits", seed, rows=_scores(fid=seed + place - 3.0, kid=0.0), traced=False)


def _settings(builder: Any) -> None:
    for architecture in ("mlp", "dcgan"):
        for rate in (1e-4, 2e-4):
            for seed in range(2):
                about: dict[str, Any] = {"settings": {"g_steps": 2000, "g_lr": rate}, "swept": ("train.g_lr",)}
                rows = _scores(fid=4.0 + 1e4 * rate + seed)
                about |= {"architecture": architecture, "rows": rows, "traced": False}
                builder.add("hinge", "digits", seed, **about)
                builder.add("r3gan", "digits", seed, protocol="p2", **about)


def _sixty(builder: Any) -> None:
    for place in range(60):
        for seed in range(2):
            builder.add(f"objective {place:02d}", "digits", seed, rows=_scores(fid=10.0 + place + seed), traced=False)


def _forty_two(builder: Any) -> None:
    for place, objective in enumerate(("hinge", "r3gan", "minimax", "wgan_gp", "least_squares")):
        for seed in range(42):
            quality = 0.5 + 0.1 * place + 0.001 * ((seed * 17) % 42)
            builder.add(objective, "ring8", seed, rows=_scores(high_quality=quality), traced=False)


def _old(builder: Any) -> None:
    for seed in range(3):
        builder.add("hinge", "ring8", seed, rows=_scores(modes=6.0 + seed % 2))
        builder.add("r3gan", "ring8", seed, "diverged" if seed == 2 else "completed", rows=_scores(modes=5.0))


NEW = {
    "status.json": ("energy_joules", "facts", "wait_seconds", "cohort_seconds", "cohort_size", "snapshot_steps"),
    "scores.json": ("per_class", "ceiling", "evaluate_seconds"),
    "losses.json": ("plugins", "objectives", "source", "seconds", "started"),
}


def _aged(store: Store) -> None:
    """Take out of every file what the first versions of ganbench did not write."""
    for name, fields in NEW.items():
        for path in store.root.rglob(name):
            found = {key: value for key, value in json.loads(path.read_text()).items() if key not in fields}
            if name == "losses.json":
                rows = [
                    {key: row[key] for key in row if key not in ("swept", "scoring", "skipped")}
                    for row in found["listed"]
                ]
                found |= {"listed": rows, "datasets": {"ring8": {"shape": [2]}}}
            path.write_text(json.dumps(found))


@pytest.fixture
def report_of(builder: Any, tmp_path: Path) -> Callable[..., Written]:
    """Write the report of an odd store, and see that it is whole."""

    def write(fill: Callable[[Any], None], aged: bool = False) -> Written:
        fill(builder)
        store = builder.write(source="")
        if aged:
            _aged(store)
        page = write_report(store, None, tmp_path / "report")
        frame = load(store)
        found = Written(frame, rankings(frame), page.parent, Shown(page))
        for holds in (_only_numbers, _every_contender, _every_caption, _every_cell):
            holds(found)
        return found

    return write


def _only_numbers(written: Written) -> None:
    """No reader meets what is no number, nor a traceback where nothing failed."""
    assert not [word for word in written.page.words if NO_NUMBER.search(word)]
    assert not re.search(r"NaN|Infinity|undefined", "".join(re.findall(r"<svg.*?</svg>", written.page.source, re.S)))
    for path in (written.folder / "report.md", *written.folder.glob("tables/*.tex")):
        assert not NO_NUMBER.search(path.read_text(encoding="utf-8"))
    for path in written.folder.glob("figures/*.csv"):
        assert not re.search(r"\b(nan|inf|None)\b", path.read_text(encoding="utf-8"))
    json.loads((written.folder / "summary.json").read_text(), parse_constant=pytest.fail)
    assert ("Traceback" in written.page.text) == ("failed" in set(written.frame.cells["outcome"]))


def _every_contender(written: Written) -> None:
    """Contenders are named wherever contenders are shown."""
    markdown = html.unescape((written.folder / "report.md").read_text(encoding="utf-8"))
    with (written.folder / "cells.csv").open(newline="", encoding="utf-8") as file:
        assert Counter(row["contender"] for row in csv.DictReader(file)) == Counter(written.frame.cells["contender"])
    for ranking in written.rankings:
        names = {standing.contender for standing in ranking.standings}
        for table in ("ranking", "stability", "cost"):
            rows = written.page.tables[f"{ranking.slug}-{table}"]
            assert names <= {cell for row in rows for cell in row[:2]}, table
        if any(standing.final.n for standing in ranking.standings):
            drawn = written.page.drawings[f"{ranking.slug}-{ranking.headline}"]
            assert all(short(one) in drawn for one in names)
        assert all(re.sub(r"([|*_])", r"\\\1", one) in markdown for one in names)


def _every_caption(written: Written) -> None:
    """Figures say of how many they are, and with which interval or that there is none."""
    assert written.page.captions
    for figure, caption in written.page.captions.items():
        assert re.search(r"n = \d", caption), figure
        assert "interval" in caption, figure


def _every_cell(written: Written) -> None:
    """Cells are counted as they are, and files have plain names."""
    headings, *rows = written.page.tables["outcomes"]
    cells = Counter(zip(*(written.frame.cells[name] for name in ("objective", "dataset", "outcome")), strict=True))
    outcomes = [heading.lower().replace(" ", "_") for heading in headings[2:]]
    shown = {(*row[:2], what): int(n) for row in rows for what, n in zip(outcomes, row[2:], strict=True) if int(n)}
    assert shown == dict(cells)
    files = [path.name for folder in ("figures", "tables") for path in (written.folder / folder).iterdir()]
    assert files and all(re.fullmatch(r"[a-z0-9_.-]{1,120}", file) for file in files)


def test_hostile_names_are_text_everywhere_and_long_ones_stay_apart(report_of: Any):
    found = report_of(_names)
    assert "<b>bold" not in found.page.source and "&lt;b&gt;bold&lt;/b&gt;" in found.page.source
    assert set(found.ranking_table()) == set(NAMES)
    tex = (found.folder / "tables" / "ring8-ranking.tex").read_text(encoding="utf-8")
    assert r"\textless{}b\textgreater{}bold" in tex and r"a\textbar{}b" in tex
    titles = {short(name) for name in NAMES if len(name) == 200}
    assert len(titles) == 2 and all(len(title) <= 32 for title in titles)
    for figure in ("ring8-modes", "ring8-modes-curves", "ring8-wins", "ring8-high_quality-modes", "ring8-frequencies"):
        assert all(title in found.page.drawings[figure] for title in titles), figure
    assert "Nemenyi's test of 6 contenders can tell none apart on fewer than" in found.page.captions["overall-ranks"]
    assert "nothing but samples" not in found.page.text


def test_what_ended_without_a_score_is_counted_and_ranked_by_nothing(report_of: Any):
    found = report_of(_lost)
    page, row = found.page, found.ranking_table()["r3gan"]
    assert "No contender completed a single seed, so there is no final score to rank by." in page.text
    assert "No contender has a final score yet." in page.text
    assert "3 of 15 cells diverged (hinge): shown, never imputed." in page.text
    assert "3 of 15 cells timed out (r3gan)" in page.text and "3 of 15 cells failed (minimax)" in page.text
    assert "6 of 15 cells are not in the store yet" in page.text
    assert [row[name] for name in ("Seeds", "Final \u2191", "95 % interval", "p")] == [
        "3 timed out",
        "\u2013",
        "\u2013",
        "not tested",
    ]
    assert row["Rank"] == "\u2013", "no score ranks anybody"
    assert "ring8-wins" not in page.captions  # nobody has a score to beat another's
    assert "diverged before" in page.text  # the samples of later steps, which the cells that timed out have
    headings = page.tables["digits-ranking"][0]
    assert "Final" in headings and "Best" in headings  # no arrow: nobody said which way is better
    summary = json.loads((found.folder / "summary.json").read_text())
    assert summary["outcomes"] == {"missing": 6, "diverged": 3, "timed_out": 3, "failed": 3}


def test_missing_scores_and_pictures_are_counted_where_they_are_missing(report_of: Any):
    found = report_of(_gaps)
    page, table = found.page, found.ranking_table()
    assert "On ring8, 18 of 24 scored cells have no final high-quality share (hinge, r3gan, minimax " in page.text
    assert "On ring8, 9 of 24 scored cells have no final modes covered (minimax and least_squares)" in page.text
    assert "with seeds that did not complete or have no score: minimax (3 of 6 could not be scored)" in page.text
    assert table["minimax"]["Final \u2191"] == "8.00 (3/6)" and table["minimax"]["Seeds"] == "3 completed, 3 unscorable"
    assert table["least_squares"]["Final \u2191"] == "\u2013"
    assert "no interval (n = 0 to 3: the interval of a mean needs 5 seeds" in page.captions["ring8-high_quality"]
    assert "where it holds (n = 0 to 6; elsewhere the interval of a mean needs 5" in page.captions["ring8-modes"]
    assert "overall-ranks" not in page.captions  # one contender alone is on both datasets
    assert "21 cells of hinge, r3gan, minimax and least_squares: nothing but samples was kept" in page.text


def test_an_older_store_gives_a_page_that_says_what_it_lacks(report_of: Any):
    found = report_of(_old, aged=True)
    assert not any("energy" in name for name in found.page.captions)
    row = next(row for row in found.page.tables["ring8-cost"][1:] if row[0] == "hinge")
    assert row[-2:] == ["0.0 s", "0 %"]  # waiting and scoring were not measured
    assert "held out" not in found.page.text
    assert "Few seeds (3): neither means nor medians have an interval" in found.page.text
    assert "6 cells of hinge and r3gan: nothing but samples was kept, since an older ganbench" in found.page.text


def test_scores_of_zero_or_less_have_no_factor_and_that_is_said(report_of: Any):
    found = report_of(_flat)
    page = found.page
    assert "Not drawn: a score of 0 or less stays behind the best by no factor." in page.text
    assert "overall-profiles" not in page.captions
    assert [row[2:] for row in page.tables["all-datasets-mean-ranks"][1:]] == [["\u2013", "\u2013"]] * 3
    assert "a score of 0 or less has no such part" in page.text
    assert "share the highest modes covered of 3 contenders: 0 (the same in each of 5 seeds)" in page.text
    kept = found.frame.cells.set_index("dataset").loc["digits", "best_over_final"].dropna()
    assert set(kept) == {1.0}  # a share of a negative score is none; those that kept their best kept all of it
    assert "Friedman's test" in page.captions["overall-ranks"]


def test_architectures_swept_settings_and_protocols_are_told_apart(report_of: Any):
    found = report_of(_settings)
    assert {ranking.protocol_id for ranking in found.rankings} == {"p1", "p2"}
    assert {s.contender for ranking in found.rankings for s in ranking.standings} == {
        f"{objective} \u00b7 {architecture} \u00b7 g_lr={rate}"
        for objective in ("hinge", "r3gan")
        for architecture in ("mlp", "dcgan")
        for rate in (0.0001, 0.0002)
    }
    assert all(len({s.objective for s in ranking.standings}) == 1 for ranking in found.rankings)
    assert "digits was scored under 2 protocols" in found.page.text


@pytest.mark.long
def test_sixty_objectives_are_all_there_and_what_is_cut_is_said(report_of: Any):
    found = report_of(_sixty)
    assert len(found.ranking_table()) == 60
    assert "Those of the 60 contenders that rank first." in found.page.captions["digits-wins"]
    assert len(found.page.tables["digits-ranking-2"]) == 61  # means, medians and spreads
    assert "Only the first 20 contenders." in found.page.text and len(found.page.tables["digits-ranking-3"]) == 191
    assert "needs 5 seeds to hold what it claims" in found.page.captions["digits-fid"]
    pictures = re.findall(r'src="(data[^"]*)"', found.page.source)
    assert len(pictures) >= 60 and sum(map(len, pictures)) < 1.2 * PICTURE_BYTES


def test_forty_two_seeds_show_final_scores_alone_and_the_best_among_the_numbers(report_of: Any):
    found = report_of(_forty_two)
    caption = found.page.captions["ring8-high_quality"]
    assert "the best evaluations are among the numbers alone" in caption and "(n = 42)" in caption
    drawn = found.page.drawings["ring8-high_quality"]
    assert drawn.count("(final)") == 5 * 42 and "(best)" not in drawn
    with (found.folder / "figures" / "ring8-high_quality.csv").open(newline="") as file:
        assert Counter(row["kind"] for row in csv.DictReader(file)) == {"final": 210, "best": 210}
    assert "Samples of the first 12 of 42 seeds" in found.page.text


def test_numbers_on_a_line_have_no_picture_and_still_a_report(builder: Any, tmp_path: Path):
    key = builder.add("hinge", "ring8", 0, pictures=True)
    scores, kept = builder.store.scores(key, "e-p1"), builder.store.pictures(key, "e-p1")
    assert scores is not None and kept is not None
    line = {"steps": kept["steps"], "by_step": kept["by_step"][..., :1]}
    samples = builder.store.samples(key, "e-p1")
    assert samples is not None
    builder.store.write_scores(key, "e-p1", scores, samples[:, :1], pictures=line)
    page = write_report(builder.write(), None, tmp_path / "out").read_text(encoding="utf-8")
    assert "Modes covered" in page and "data:image/png" not in page
