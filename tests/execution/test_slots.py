"""What the devices of this machine can do."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize(
    ("visible", "device", "seen"),
    [
        (None, "cuda:3", "3"),
        (None, "cuda:GPU-5f2d", "GPU-5f2d"),
        ("4,6", "cuda:1", "6"),
        ("GPU-a,GPU-b", "cuda:0", "GPU-a"),
    ],
)
def test_a_process_sees_the_gpu_that_it_claims_alone(
    visible: str | None, device: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible or "")
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert slots.claim(device) == "cuda:0"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen and os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
