import html
import json
from pathlib import Path

from ganbench.reporting import write_report


def test_everything_that_fixes_a_score_is_told_in_every_form(builder, tmp_path: Path):
    for seed in range(3):
        builder.add("hinge", "ring8", seed, settings={"g_steps": 2000, "ema": 0.0})
        builder.add("r3gan", "ring8", seed, settings={"g_steps": 2000, "ema": 0.999})
    written = write_report(builder.write(), None, tmp_path).parent
    both = "of the step itself, no EMA: 3 cells; averaged over G steps (EMA, decay 0.999): 3 cells"
    page, text = ((written / name).read_text(encoding="utf-8") for name in ("index.html", "report.md"))
    for form in (page, text):
        for told in ("extractor name", "identity", "generator parameters", both, "each cell's own"):
            assert told in html.unescape(form)
    protocol = json.loads((written / "summary.json").read_text())["datasets"]["ring8"]["protocol"]
    assert protocol["extractor"] == {"name": "identity", "weights": None}
    assert protocol["cells"]["generator parameters"] == both
