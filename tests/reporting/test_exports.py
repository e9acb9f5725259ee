"""The files beside the page: they stand alone, replace those of before, and leave alone what is not theirs."""

import gzip
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vl_convert

from ganbench.reporting import exports
from ganbench.reporting.compact import compact
from ganbench.reporting.contents import Contents, contents
from ganbench.reporting.exports import WRITTEN, csv, write_exports
from ganbench.reporting.frame import load
from ganbench.reporting.latex import escaped, tabular
from ganbench.reporting.page import rendered
from ganbench.reporting.parts import Table
from ganbench.reporting.ranking import rankings
from ganbench.reporting.svg import alone
from ganbench.store import Store

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Table("What made the cells.", ("What",), (("this",),), (False,), name="provenance")


@pytest.fixture(scope="module")
def held(varied: Store) -> Contents:
    frame = load(varied)
    return contents(frame, rankings(frame))


@pytest.fixture(scope="module")
def folder(held: Contents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    write_exports(held, out, pdf=False)
    return out


def test_every_figure_stands_alone_with_its_numbers(held: Contents, folder: Path):
    files = sorted(path.name for path in (folder / "figures").iterdir() if path.name != WRITTEN)
    assert len(held.figures) > 10 and len(files) == 2 * len(held.figures)
    for figure in held.figures:
        text = (folder / "figures" / f"{figure.name}.svg").read_text(encoding="utf-8")
        drawn = ET.fromstring(text)
        assert drawn.tag == f"{SVG}svg" and drawn.findtext(f"{SVG}desc") == figure.caption
        assert "currentColor" not in text and "http" not in text.replace(SVG[1:-1], "")
        numbers = pd.read_csv(folder / "figures" / f"{figure.name}.csv")
        assert list(numbers.columns) == list(figure.data.columns) and len(numbers) == len(figure.data)


def test_every_table_has_a_name_of_its_own_and_is_latex(held: Contents, folder: Path):
    names = [table.name for table in held.tables]
    assert len(set(names)) == len(names) and {"overview", "ring8-ranking", "provenance"} <= set(names)
    for table in held.tables:
        text = (folder / "tables" / f"{table.name}.tex").read_text(encoding="utf-8")
        assert text.count(r" \\") == 1 + len(table.rows)
        assert all(
            len(re.findall(r"(?<!\\)&", line)) == len(table.headings) - 1 for line in text.splitlines() if " & " in line
        )


def test_numbers_keep_six_digits_and_whole_ones_all():
    data = pd.DataFrame({"step": [1_048_576.0, 2.0, np.nan], "score": [1 / 3, 1e-9, np.inf], "far": [1e300, 2.0, 3.0]})
    assert csv(data) == "step,score,far\n1048576,0.333333,1e+300\n2,1e-09,2\n,inf,3\n"


def test_a_report_takes_away_what_the_one_before_wrote_and_nothing_else(tmp_path: Path):
    contents = Contents((), EMPTY, None, EMPTY, EMPTY)
    write_exports(contents, tmp_path, pdf=False)
    tables = tmp_path / "tables"
    mine = tables / "notes.txt"
    mine.write_text("kept")
    (tables / WRITTEN).write_text(json.dumps(["provenance.tex", "old.tex", "../precious.tex", 3, ".written.json"]))
    (tables / "old.tex").write_text("of before")
    (tmp_path / "precious.tex").write_text("not ours")
    write_exports(contents, tmp_path, pdf=False)
    assert sorted(path.name for path in tables.iterdir()) == [WRITTEN, "notes.txt", "provenance.tex"]
    assert (tmp_path / "precious.tex").read_text() == "not ours" and mine.read_text() == "kept"


def test_a_report_that_was_killed_leaves_nothing_behind_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(path: Path, content: bytes) -> Path:
        if path.name == WRITTEN:
            return write(path, content)
        if path.name == "b.csv":
            raise OSError("no space left")
        return write(path, content)

    write = exports._write
    monkeypatch.setattr(exports, "_write", full)
    with pytest.raises(OSError, match="no space"):
        exports._replace(tmp_path, {"a.csv": b"1", "b.csv": b"2"})
    monkeypatch.undo()
    exports._replace(tmp_path, {"c.csv": b"3"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [WRITTEN, "c.csv"]


def test_pdf_is_written_where_it_is_asked_for(held: Contents, tmp_path: Path):
    few = Contents((), None, replace(held.figures[0], name="../odd name"), EMPTY, EMPTY)
    write_exports(few, tmp_path, pdf=True)
    files = {path.name for path in (tmp_path / "figures").iterdir()}
    assert files == {WRITTEN, "odd-name.svg", "odd-name.csv", "odd-name.pdf"}
    assert (tmp_path / "figures" / "odd-name.pdf").read_bytes().startswith(b"%PDF")
    write_exports(few, tmp_path, pdf=False)
    assert not (tmp_path / "figures" / "odd-name.pdf").exists()


def test_the_page_holds_the_same_numbers_as_the_files(varied: Store, held: Contents, folder: Path):
    frame = load(varied)
    text = rendered(frame, rankings(frame), held)
    told = json.loads(re.findall(r'id="told">(.*?)</script>', text)[0])
    assert set(told["numbers"]) == {figure.name for figure in held.figures}
    for name, packed in told["numbers"].items():
        assert gzip.decompress(b64decode(packed)) == (folder / "figures" / f"{name}.csv").read_bytes()


def test_numbers_for_which_the_page_has_no_room_are_named(
    varied: Store, held: Contents, monkeypatch: pytest.MonkeyPatch
):
    frame = load(varied)
    monkeypatch.setattr("ganbench.reporting.page.NUMBER_BYTES", 2_000)
    text = rendered(frame, rankings(frame), held)
    told = json.loads(re.findall(r'id="told">(.*?)</script>', text)[0])
    left = {figure.name for figure in held.figures} - set(told["numbers"])
    assert 0 < len(left) < len(held.figures) and sum(map(len, told["numbers"].values())) <= 2_000
    assert set(re.findall(r"Its numbers are too many[^<]*<code>figures/(.*?)\.csv</code>", text)) == left


def test_compact_svg_draws_the_same():
    text = (
        '<svg width="60" height="40" viewBox="0 0 60 40"><g fill="none" class="a b"><g><g>'
        '<line x1="0" y1="5" x2="50" y2="0" stroke="#f00" stroke-width="2" opacity="1"/>'
        '<line x1="0" y1="9" x2="50" y2="30" stroke="#f00" stroke-width="2" opacity="0.5"/></g></g>'
        '<g class="role-scope" transform="translate(0,0)"><rect width="9" height="9" fill="#00f"/><g></g>'
        '<text fill="#00f" y="30" font-weight="normal">a &lt; b</text></g>'
        '<g fill="#0f0"><rect x="20" width="9" height="9"/><rect x="40" width="9" height="9" fill="#00f"/></g>'
        "</g></svg>"
    )
    small = compact(text, "p")
    assert len(small) < 0.8 * len(text) and 'class="role-scope"' in small and "a &lt; b" in small
    assert vl_convert.svg_to_png(alone(small, "", "")) == vl_convert.svg_to_png(alone(text, "", ""))
    assert compact("<svg>\x08</svg>", "p") == "<svg>\x08</svg>"


def test_axes_that_panels_share_are_drawn_once_and_marks_are_not():
    axis = "".join(f'<text x="{x}" y="9" fill="#00f">{x}</text>' for x in range(0, 60, 10))
    panels = "".join(
        f'<g transform="translate(0,{20 * y})"><g transform="translate(1,1)">{axis}</g>'
        f'<g transform="translate(2,2)"><rect data-o="0" width="9" height="3" fill="#f00"/>{axis}</g></g>'
        for y in range(3)
    )
    text = f'<svg width="90" height="60" viewBox="0 0 90 60">{panels}</svg>'
    small = compact(text, "p")
    assert small.count("<use") == 3 and small.count('id="p-g0"') == 1 and small.count("data-o") == 3
    assert vl_convert.svg_to_png(alone(small, "", "")) == vl_convert.svg_to_png(alone(text, "", ""))


def test_latex_is_told_no_command():
    hostile = "50 % of a_b & #1 \\input{x} ~^ <b> [2]\n\n\u22125\u2009000 \u2193"
    assert escaped(hostile) == (
        r"50 \% of a\_b \& \#1 \textbackslash{}input\{x\} \textasciitilde{}\textasciicircum{} "
        r"\textless{}b\textgreater{} {[}2{]} $-$5\,000 $\downarrow$"
    )
    table = Table("A & B", ("x", "y"), (("1", "2"),), (False, True), title="One\n\\input{x}", name="one")
    assert tabular(table).splitlines()[0] == (r"% One \input{x}. Needs \usepackage{booktabs}, \usepackage{adjustbox}.")
    assert r"\begin{tabular}{lr}" in tabular(table) and r"\label{tab:one}" in tabular(table)


def test_latex_says_where_pdflatex_has_no_letters():
    def comments(label: str) -> str:
        return "\n".join(line for line in tabular(_named(label)).splitlines() if line.startswith("%"))

    assert "fontenc" not in comments("hinge") and "XeLaTeX" not in comments("\u03bb")
    assert "[T1]{fontenc}" in comments("Jos\u00e9") and "XeLaTeX" not in comments("Jos\u00e9")
    assert "XeLaTeX or LuaLaTeX" in comments("\u5bf9\u6297")


ASCII = "".join(map(chr, range(32, 127)))
LABELS = (
    *(f"{sign}x{sign}{sign}" for sign in ASCII),
    *('say "q" it\'s', "[opt] & \\\\", "* starred", "?` !`", "L" * 200, "tab\there", "\x00\x1f\x7f"),
    *("\u2212\u00b1\u03bb\u2605\u2248", ASCII),
)


def _named(*labels: str, columns: int = 2) -> Table:
    rows = tuple((label, *(["1 234.5"] * (columns - 1))) for label in labels)
    headings = (labels[0], *(f"a long heading {n}" for n in range(1, columns)))
    return Table(f"{labels[-1]} [1]", headings, rows, (False,) + (True,) * (columns - 1), title="A\n\\b", name="one")


@pytest.mark.long
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex", "lualatex"])
def test_latex_sets_every_table_within_a_page(engine: str, held: Contents, tmp_path: Path):
    if shutil.which(engine) is None:
        pytest.skip(f"no {engine} on this machine")
    made = [_named(label) for label in LABELS] + [_named(*LABELS[:20], columns=14), _named(*LABELS, columns=5)]
    texts = [tabular(table) for table in (*made, *held.tables)]
    packages = set(re.findall(r"\\usepackage\{\w+\}", "".join(text.splitlines()[0] for text in texts)))
    for place, text in enumerate(texts):
        (tmp_path / f"{place}.tex").write_text(text, encoding="utf-8")
    body = "\n".join(f"\\input{{{place}}}\\clearpage" for place in range(len(texts)))
    document = f"\\documentclass[a4paper]{{article}}{''.join(packages)}\\begin{{document}}{body}\\end{{document}}"
    (tmp_path / "whole.tex").write_text(document, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "whole.tex"]
    subprocess.run(command, cwd=tmp_path, capture_output=True)  # a table over several pages settles its columns
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "whole.log").read_text(errors="replace")
    assert [float(wide) for wide in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(wide) > 3] == []
    assert "Float too large" not in log and "Missing character" not in log
