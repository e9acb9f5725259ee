"""What the store keeps of tuning is read as if anybody had made it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ganbench
from ganbench.reporting import write_report
from ganbench.reporting.frame import load
from ganbench.reporting.tuning.reading import kept
from ganbench.reporting.tuning.record import as_plain
from ganbench.reporting.tuning.section import tuning
from ganbench.store import Store


def test_what_is_kept_comes_back_as_it_was(keep, made):
    found = kept(load(keep(made.studies()), made.suite))
    assert [as_plain(each) for each in found] == [as_plain(each) for each in made.studies()]
    assert found[0].best == made.studies()[0].best


def test_a_suite_that_was_not_tuned_has_no_section(keep, made):
    store = keep(made.studies())
    (store.root / "tuning" / f"{made.suite}.json").unlink()
    assert tuning(load(store, made.suite)) is None


def changed(store: Store, change: Callable[[dict[str, Any]], object]) -> None:
    path = store.root / "tuning" / "s-tune.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def first(found: dict[str, Any], *way: str | int) -> Any:
    found = found["studies"][0]
    for step in way:
        found = found[step]  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.update(version=0), "another version"),
        (lambda f: f.update(studies={}), "expected a list"),
        (lambda f: f.update(studies=[]), "another run"),
        (lambda f: f.update(studies=[7]), "damaged"),
        (lambda f: first(f).update(better="sideways"), "one of lower, higher"),
        (lambda f: first(f).update(dataset="mnist"), "another run"),
        (lambda f: first(f, "objectives").update(tuned="other"), "another run"),
        (lambda f: first(f, "objectives").pop("tuned"), "other variants"),
        (lambda f: first(f, "measured").pop("default"), "no default"),
        (lambda f: first(f).update(trials=[]), "no trials"),
        (lambda f: first(f, "trials", 5).update(score=None), "just where it is complete"),
        (lambda f: first(f, "trials", 5).update(score=True), "expected a number"),
        (lambda f: first(f, "trials", 5).update(score=10**400), "expected a number"),
        (lambda f: first(f, "trials", 5).update(state="well"), "expected one of complete"),
        (lambda f: first(f, "trials", 5, "settings").pop("g_lr"), "has no g_lr"),
        (lambda f: first(f, "trials", 5, "settings").update(g_lr="fast"), "g_lr cannot be 'fast'"),
        (lambda f: first(f, "trials", 5, "settings").update(g_lr=-1.0), "g_lr cannot be -1.0"),
        (lambda f: first(f, "trials", 5, "settings").update(d_steps=[1]), "expected a number"),
        (lambda f: first(f, "parameters", 0).update(ends=[1]), "two numbers"),
        (lambda f: first(f, "parameters", 0).update(name="g_lr"), "one name"),
        (lambda f: first(f, "parameters", 0).update(kind=["log"]), "expected one of"),
        (lambda f: first(f, "borrowed", 0).update(same="no"), "true or false"),
        (lambda f: first(f, "variants", "default").update(d_lr=0), "d_lr cannot be 0"),
        (lambda f: first(f, "measured", "tuned").update(n="many"), "expected a number"),
    ],
)
def test_what_is_not_as_it_should_be_is_left_out_and_said(keep, change, said, made):
    store = keep(made.studies())
    changed(store, change)
    found = tuning(load(store, made.suite))
    assert found is not None and not found.section.blocks and not found.summary
    assert said in found.section.verdict and f"tuning/{made.suite}.json" in found.section.verdict


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1', "[" * 100_000])
def test_a_file_that_is_no_json_is_left_out_and_said(keep, made, content):
    store = keep(made.studies()[:1])
    (store.root / "tuning" / f"{made.suite}.json").write_text(content)
    found = tuning(load(store, made.suite))
    assert found is not None and "it is not valid JSON" in found.section.verdict


def test_a_damaged_file_leaves_the_rest_of_the_report_with_every_figure_as_pdf_where_asked(keep, tmp_path: Path, made):
    store, out = keep(made.studies()[:1]), tmp_path / "report"
    changed(store, lambda f: f.update(version=0))
    page = ganbench.report(store.root, out, pdf=True).read_text()
    assert "written by another version" in page and "hinge (tuned)" in page
    assert "written by another version" in (out / "report.md").read_text()
    figures = {kind: {path.stem for path in out.glob(f"figures/*.{kind}")} for kind in ("svg", "pdf")}
    assert figures["pdf"] == figures["svg"] != set()


def test_names_from_a_store_become_no_markup(keep, tmp_path: Path, made):
    hostile = "<script>alert(1)</script>"
    store = keep(made.studies()[:1])
    changed(store, lambda f: first(f, "parameters", 0).update(name=hostile))
    changed(store, lambda f: [each["settings"].update({hostile: 1e-3}) for each in first(f, "trials")])
    changed(store, lambda f: first(f).update(value=hostile))
    page = write_report(store, made.suite, tmp_path / "report").read_text()
    assert hostile not in page and "&lt;script&gt;alert(1)" in page
