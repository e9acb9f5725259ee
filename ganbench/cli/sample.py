"""`ganbench sample`: pictures or points from a stored generator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.console import DeviceOption, PluginOption, errors_told

GRID = 64  # samples, where nobody says how many


def sample(
    checkpoint: Annotated[
        str,
        typer.Argument(metavar="CHECKPOINT", help="The folder of a trained cell: RUNS/cells/KEY.", show_default=False),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            metavar="OUT",
            help="A .png for a grid, .npz, .npy or (points) .csv, or a folder.  "
            "\\[default: samples-KEY-STEP, as a grid]",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many.")] = GRID,
    step: Annotated[
        int | None, typer.Option("--step", help="G step.  \\[default: the last]", show_default=False)
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Of the latents.  \\[default: the cell's own]", show_default=False),
    ] = None,
    folder: Annotated[
        bool | None,
        typer.Option(
            "--folder/--grid",
            help="One PNG per sample, or all in one.  \\[default: by the suffix of OUT]",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        int | None,
        typer.Option("--label", help="Ask for this class only.  \\[default: all in turn]", show_default=False),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            help="The data of the cell, where it is a folder: `{image_folder: {path: ~/faces, side: 64}}`.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
) -> None:
    """Draw samples of a stored generator and write them as a grid, as files or as an array.

    Examples:

    \b
    ganbench sample runs/cells/8f0c6a1b2d3e4f50 -o grid.png
    ganbench sample runs/cells/8f0c6a1b2d3e4f50 -o samples/ --count 10000
    ganbench sample runs/cells/8f0c6a1b2d3e4f50 -o sevens.npz --count 500 --label 7

    With the cell's own seed, and as many as were scored, these are the samples that its scores are of.

    An .npz holds `arr_0`, NHWC uint8 (points: float32), and `labels` where classes were asked for.
    """
    with errors_told():
        from ganbench.cli.registries import load_plugins
        from ganbench.evaluation.drawn import draw, write
        from ganbench.evaluation.request import dataset_of

        load_plugins(plugin or ())
        drawn = draw(Path(checkpoint).expanduser(), count, step, seed, label, device, dataset_of(dataset))
        written = write(drawn, None if out is None else Path(out).expanduser(), folder)
        labels = f", class {label}" if label is not None else ""
        typer.echo(f"{count} samples of G step {drawn.step}, seed {drawn.seed}{labels}: {written}")
