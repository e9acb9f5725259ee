"""What the devices of this machine can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.execution import slots
from ganbench.planning import Options, make_plan

SUITE = """
name: half
objectives: [hinge]
datasets: [ring8]
seeds: 2
train: {{g_steps: 10, precision: {}}}
evaluate: {{metrics: []}}
"""


def with_flags(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    original = Path.read_text

    def read(self: Path, *arguments: object, **named: object) -> str:
        return text if str(self) == "/proc/cpuinfo" else original(self, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", read)
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: str(self) == "/proc/cpuinfo" or exists(self))


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("flags\t\t: fpu avx2 avx512f\n", True),
        ("flags\t\t: fpu avx512f avx512_bf16\n", False),
        ("Features\t: fp asimd bf16\n", False),
        ("nothing is known\n", False),
    ],
)
def test_a_cpu_without_bfloat16_is_known_by_its_flags(text: str, lacks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with_flags(monkeypatch, text)
    assert slots.lacks_bfloat16(["cpu", "cpu"]) is lacks
    assert slots.lacks_bfloat16(["cuda:0"]) is False


@pytest.mark.parametrize(("precision", "said"), [("bf16", True), ("float32", False)])
def test_a_plan_says_that_a_precision_will_be_slow(
    precision: str, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_flags(monkeypatch, "flags\t\t: fpu avx2\n")
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(precision))
    notes = make_plan(suite, Options(tmp_path / "runs", device="cpu")).notes
    assert any("bfloat16 many times slower" in note for note in notes) is said
