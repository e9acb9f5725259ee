import csv
import hashlib
import json
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ganbench.records import SuiteRecord
from ganbench.reporting import write_report
from ganbench.reporting.cell_tables import provenance_table
from ganbench.reporting.frame import load
from ganbench.reporting.page import page
from ganbench.reporting.ranking import rankings
from ganbench.reporting.summary import markdown
from ganbench.reporting.tables import cost_table
from ganbench.store import Store

VOID = {"meta", "img", "i", "br", "path", "line", "rect"}


class Page(HTMLParser):
    """Collects what a browser would fetch or run, the ids, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.resources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attributes)
        self.resources += [
            found[name] or "" for name in ("src", "data", "srcset", "xlink:href", "poster") if name in found
        ]
        self.links += [found["href"] or ""] if "href" in found else []
        self.ids += [found["id"] or ""] if "id" in found else []
        self.images += [found] if tag == "img" else []
        assert not any(name.startswith("on") for name in found)


@pytest.fixture(scope="module")
def written(varied: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report that tests only read."""
    return write_report(varied, None, tmp_path_factory.mktemp("written") / "out").parent


def _strict(path: Path):
    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


FILES = ["cells.csv", "figures", "index.html", "report.md", "summary.json", "tables"]
SVG_NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nothing fetches


def test_the_files_are_written(written: Path):
    assert sorted(path.name for path in written.iterdir()) == FILES


def test_the_page_asks_for_nothing(written: Path):
    text = (written / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.resources and all(source.startswith("data:image/png;base64,") for source in page.resources)
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not re.findall(r"https?://|@import|url\((?!#)", text.replace(SVG_NAMESPACE, ""))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)


def test_ids_are_unique_and_pictures_have_words(written: Path):
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    assert page.images and all(image.get("alt") for image in page.images)
    assert page.tags.count("h1") == 1


def test_hostile_names_are_shown_and_not_run(written: Path):
    for name in ("index.html", "report.md"):
        text = (written / name).read_text(encoding="utf-8")
        assert "&lt;script" in text
        assert "<script>alert" not in text
    page = (written / "index.html").read_text(encoding="utf-8")
    assert "broken &lt;plugin&gt;" in page
    assert "# &lt;b&gt;bold" in page


def test_failures_have_their_traceback_once(written: Path):
    page = (written / "index.html").read_text(encoding="utf-8")
    assert page.count("Traceback (most recent call last)") == 1
    assert "seeds 0, 1, 2" in page


def test_the_table_of_cells_is_plain_csv(written: Path):
    with (written / "cells.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    diverged = next(row for row in rows if row["outcome"] == "diverged")
    assert diverged["modes_final"] == ""
    assert float(diverged["modes_best"]) > 0


def test_the_summary_is_strict_json_and_complete(written: Path):
    found = _strict(written / "summary.json")
    ring, digits = found["datasets"]["ring8"], found["datasets"]["digits"]
    assert found["suite"] == "losses"
    assert found["outcomes"]["diverged"] == 1
    assert [entry["rank"] for entry in ring["ranking"]] == [1, 2, 3, 4]
    assert ring["ranking"][3]["final"] == {"value": None, "low": None, "high": None, "n": 0}
    assert ring["headline"] == "modes"
    assert found["verdicts"]["ring8"] == ring["verdict"]
    assert [other["protocol_id"] for other in digits["other_protocols"]] == ["p2"]


def test_a_second_report_replaces_the_first(varied: Store, written: Path, tmp_path: Path):
    (tmp_path / "cells.csv").write_text("of before")
    write_report(varied, "losses", tmp_path)
    assert (tmp_path / "cells.csv").read_bytes() == (written / "cells.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


@pytest.mark.parametrize("outcome", ["completed", "diverged", "failed", "missing", "skipped"])
def test_a_single_cell_of_any_outcome_makes_a_report(builder, tmp_path: Path, outcome: str):
    builder.add("hinge", "ring8", 0, outcome=outcome, skipped="no reason" if outcome == "skipped" else "")
    page = write_report(builder.write(), None, tmp_path / "out")
    assert "hinge" in page.read_text(encoding="utf-8")
    assert _strict(page.parent / "summary.json")["cells"] == 1


def test_a_cell_that_was_trained_and_never_scored_makes_a_report(builder, tmp_path: Path):
    builder.add("hinge", "digits", 0, scored=False)
    assert write_report(builder.write(), None, tmp_path / "out").exists()


def test_an_empty_suite_makes_a_report(tmp_path: Path):
    store = Store(tmp_path / "runs")
    store.write_suite(SuiteRecord("nothing", ()))
    assert "nothing" in write_report(store, None, tmp_path / "out").read_text(encoding="utf-8")


def test_odd_names_make_a_report(builder, tmp_path: Path):
    for name in ("x" * 200, "a|b*c_d`e", '"quoted" & more', "对抗", "</style>"):
        builder.add(name, "ring8", 0)
    page = write_report(builder.write(), None, tmp_path / "out")
    text = page.read_text(encoding="utf-8")
    assert "对抗" in text
    assert text.count("</style>") == 1
    assert "a\\|b\\*c\\_d\\`e" in (page.parent / "report.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_report_needs_neither_torch_nor_mlflow(varied: Store, tmp_path: Path):
    code = """
import sys
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from ganbench.reporting import write_report
from ganbench.store import Store
write_report(Store(Path(sys.argv[1])), None, Path(sys.argv[2]))
assert not {"torch", "mlflow"} & set(sys.modules)
"""
    arguments = [sys.executable, "-c", code, str(varied.root), str(tmp_path / "out")]
    subprocess.run(arguments, check=True, timeout=120)


def test_a_suite_without_scores_shows_outcomes_and_costs_and_ranks_nothing(builder, tmp_path: Path):
    for seed in range(2):
        builder.add("hinge", "digits", seed, scored=False, scoring=False)
        builder.add("minimax", "digits", seed, "diverged", scored=False, scoring=False)
    folder = write_report(builder.write(), None, tmp_path / "out").parent
    for name in ("index.html", "report.md"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "Scores are switched off" in text and "Waiting" in text
        assert "Ranking" not in text and "To the leader" not in text and "not been scored" not in text
    found = _strict(folder / "summary.json")["datasets"]["digits"]
    assert (found["headline"], [entry["rank"] for entry in found["ranking"]]) == (None, [None, None])
    assert found["ranking"][0]["outcomes"] == {"completed": 2} and found["ranking"][1]["outcomes"] == {"diverged": 2}


def test_a_dataset_without_scores_stands_beside_one_with(builder, tmp_path: Path):
    builder.add("hinge", "digits", 0, scored=False, scoring=False)
    builder.add("hinge", "ring8", 0)
    found = _strict(write_report(builder.write(), None, tmp_path / "out").parent / "summary.json")
    assert "switched off" in found["verdicts"]["digits"]
    assert found["datasets"]["ring8"]["ranking"][0]["rank"] == 1


def test_costs_show_how_much_of_the_time_went_into_scoring(builder):
    builder.add("hinge", "digits", 0)
    frame = load(builder.write())
    frame.cells.loc[0, ["train_seconds", "evaluate_seconds", "wait_seconds"]] = [2.0, 0.5, 2.5]
    (ranking,) = rankings(frame)
    table = cost_table(ranking)
    assert table.headings[-4:] == ("Training", "Scoring", "Waiting", "Share of scoring")
    assert table.rows[0][-4:] == ("2.0 s", "0.5 s", "2.5 s", "10 %")
    assert list(frame.cells.columns)[-3:] == ["train_seconds", "evaluate_seconds", "wait_seconds"]


@pytest.mark.long
def test_a_suite_of_105_cells_stays_small(whole_suite: Store, tmp_path: Path):
    page = write_report(whole_suite, None, tmp_path / "out")
    assert page.stat().st_size < 3_000_000
    assert len(_strict(page.parent / "summary.json")["datasets"]) == 3


def test_provenance_gives_the_span_of_time_and_not_a_line_per_cell(builder):
    for seed in range(3):
        builder.add("hinge", "digits", seed)
    store = builder.write()
    (row,) = [row for row in provenance_table(load(store)).rows if row[0] == "finished"]
    assert row == ("finished", "2026-11-01T00:00:00Z", "3")


def test_a_report_says_which_extractor_read_the_samples_and_how_good_a_classifier_is(varied: Store):
    frame = load(varied, "losses")
    classifier = {"extractor": {"name": "classifier", "test_accuracy": 0.98873}}
    frame = replace(frame, protocols={**frame.protocols, "p2": classifier})
    told = "features by classifier, which is right on 98.9 % of the test split"
    text = markdown(frame, rankings(frame))
    assert text.count("Protocol `p1`, features by identity.") == 2
    assert text.count(f"Protocol `p2`, {told}.") == 1
    shown = page(frame, rankings(frame))
    assert shown.count(told) == 1 and f"{told} · protocol p2" in shown
    assert "Protocol p2: everything" in shown
    unknown = replace(frame, protocols={})
    assert "Protocol `p1`.\n" in markdown(unknown, rankings(unknown))


MARKUP = '</script></svg></style><script>alert(1)</script><img src=x onerror="alert(1)">'
HOSTILE = MARKUP + '"\' onmouseover="x" | \\| `x` \n\n# a'


@pytest.fixture
def hostile(builder) -> Path:
    """The report of a store in which every text that a store can hold is markup."""
    for name in (HOSTILE, 'it\'s \\ "q" {{ 7*7 }} ${x}'):
        for seed, outcome in enumerate(("completed", "completed", "failed")):
            builder.add(name, "ring8", seed, outcome, architecture=HOSTILE)
    builder.listed = [replace(row, dataset=HOSTILE) for row in builder.listed]
    about = {"shape": [2], "headline": "modes", "titles": {"modes": HOSTILE}}
    store = builder.write(
        datasets={HOSTILE: about}, objectives={HOSTILE: {"formula": HOSTILE}}, source=HOSTILE, plugins=(HOSTILE,)
    )
    for path in store.root.glob("cells/*/status.json"):
        found = json.loads(path.read_text())
        found |= {"provenance": {HOSTILE: HOSTILE}}
        path.write_text(json.dumps(found | {name: HOSTILE for name in ("reason", "traceback") if found[name]}))
    for path in store.root.glob("cells/*/scores/*/scores.json"):
        found = json.loads(path.read_text())
        protocol = {"extractor": {"name": HOSTILE}, HOSTILE: HOSTILE}
        reasons = {"modes": HOSTILE}
        path.write_text(json.dumps({**found, "protocol_id": HOSTILE, "protocol": protocol, "reasons": reasons}))
    return write_report(store, None, builder.store.root / "out").parent


def test_markup_in_any_text_of_a_store_is_shown_as_text_and_breaks_nothing(hostile: Path):
    text = (hostile / "index.html").read_text(encoding="utf-8")
    page = Page(text)  # which finds handlers of events
    assert not {"iframe", "object"} & set(page.tags)
    assert page.tags.count("script") == text.count("</script") == 2
    assert page.resources and all(source.startswith("data:image/png;base64,") for source in page.resources)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    script, told = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    allowed = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}';" in text
    assert HOSTILE in [one["name"] for one in json.loads(told)["objectives"]] and "<" not in told
    lines = (hostile / "report.md").read_text(encoding="utf-8").splitlines()
    width = None
    for line in lines:
        bars = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("|") else None
        assert bars is None or width in (None, bars), line
        width = bars
    outside_code = "\n".join(re.sub(r"(?<!\\)`[^`]*`", "", line) for line in lines)
    assert not re.findall(r"<(?!/?details>|/?summary>)", outside_code)
    assert not any(line.startswith("# a") for line in lines)
