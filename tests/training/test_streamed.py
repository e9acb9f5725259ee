"""Data in a file instead of memory: the same training to the last bit, read one step ahead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import architectures, datasets, objectives
from ganbench.execution import training_data
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training import capture
from ganbench.training.draws import Draws
from ganbench.training.game import Game
from ganbench.training.loop import Trained, train_cohort
from ganbench.training.streamed import ReadAhead, Streamed
from ganbench.training.streams import index_blocks

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(50) % 10


def cell(name: str, seed: int, **train: object) -> Cell:
    settings = {"g_steps": 20, "batch_size": 6, "latent_size": 4, "d_steps": 2, "d_warmup": 3, "g_warmup": 2} | train
    mlp = architectures.registry.part("mlp", {"width": 8, "depth": 2})
    return Cell(objectives.create(name), mlp, datasets.registry.part("digits", {}), Train(**settings), seed)


@pytest.fixture
def streamed(tmp_path: Path) -> Streamed:
    np.save(tmp_path / "pictures.npy", PICTURES.numpy())
    return Streamed(np.load(tmp_path / "pictures.npy", mmap_mode="r"), CPU)


def same(a: list[Trained], b: list[Trained]) -> bool:
    return all(torch.equal(x.snapshots[20], y.snapshots[20]) and x.trace == y.trace for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", ["wgan_gp", "rsgan", "acgan"])
@pytest.mark.parametrize("seeds", [[3], [3, 4, 3]])
def test_training_does_not_know_the_difference(streamed: Streamed, name: str, seeds: list[int]) -> None:
    cells = [cell(name, seed) for seed in seeds]
    in_memory = train_cohort(cells, PICTURES, (20,), labels=LABELS)
    assert same(train_cohort(cells, streamed, (20,), labels=LABELS), in_memory)


def test_every_row_is_read_once_and_a_step_ahead(streamed: Streamed, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    reading = Streamed.__getitem__

    def counted(self: Streamed, rows: torch.Tensor) -> torch.Tensor:
        read.append(len(rows.flatten()))
        return reading(self, rows)

    monkeypatch.setattr(Streamed, "__getitem__", counted)
    rows = index_blocks([0, 1], "data", (2, 5), 50, CPU)
    ahead = ReadAhead(streamed, index_blocks([0, 1], "data", (2, 5), 50, CPU))
    for step in range(40):
        assert torch.equal(ahead.at(step), PICTURES[rows.at(step)])
    ahead._reader.shutdown()
    assert read == [20] * 41
    # From anywhere, as after a resume.
    ahead = ReadAhead(streamed, index_blocks([0, 1], "data", (2, 5), 50, CPU))
    assert torch.equal(ahead.at(33), PICTURES[rows.at(33)])
    assert torch.equal(ahead.at(7), PICTURES[rows.at(7)])


def test_a_file_that_cannot_be_read_stops_training_with_its_own_error(
    streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, left = Streamed.__getitem__, [5]

    def failing(self: Streamed, rows: torch.Tensor) -> torch.Tensor:
        left[0] -= 1
        if not left[0]:
            raise OSError("the disk is gone")
        return reading(self, rows)

    monkeypatch.setattr(Streamed, "__getitem__", failing)
    with pytest.raises(OSError, match="the disk is gone"):
        train_cohort([cell("nsgan", 0)] * 2, streamed, (20,))


def test_a_captured_step_reads_what_was_streamed(streamed: Streamed) -> None:
    class Again:
        def __init__(self, run: capture.Seen) -> None:
            self._run = run

        def replay(self) -> capture.Seen:
            return self._run()

    games = [Game([cell("wgan_gp", 0)] * 2, data) for data in (PICTURES, streamed)]
    captured = capture.Captured(games[1], Again)
    draws = [Draws(game) for game in games]
    for step in range(10):
        for game, own, update in zip(games, draws, (games[0].update, captured.update), strict=True):
            game.begin(step)
            update(own.at(step))
    assert not captured.refused
    assert torch.equal(games[0].g_flat, games[1].g_flat)
    assert torch.equal(games[0].d_flat, games[1].d_flat)


@pytest.mark.parametrize(("share", "kind"), [(1.0, torch.Tensor), (0.0, Streamed)])
def test_data_are_streamed_where_they_are_too_large(
    share: float, kind: type, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(training_data, "SHARE_OF_MEMORY", share)
    digits: Part = datasets.registry.part("digits", {})
    data, labels = training_data.training_data(digits, tmp_path, CPU)
    assert isinstance(data, kind)
    assert labels is not None and len(labels) == len(data)
    one = replace(cell("nsgan", 0), train=Train(g_steps=2, batch_size=4, latent_size=4))
    (trained,) = train_cohort([one], data, (2,))
    assert trained.diverged_at is None
