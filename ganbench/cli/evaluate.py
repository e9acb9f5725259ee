"""`ganbench evaluate`: the scores of one source, with no suite."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.cli.console import DeviceOption, PluginOption, errors_told

if TYPE_CHECKING:
    from rich.table import Table

    from ganbench.evaluation.standalone import Evaluation

MISSING = "-"


def evaluate(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder of pictures, an .npz or .npy file, or a checkpoint (RUNS/cells/KEY).",
            show_default=False,
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            help="The real data: a name, or `{image_folder: {path: ~/faces, side: 64}}` as in a suite.  "
            "\\[default: a checkpoint's own]",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="A,B",
            help="Which metrics, or `{kid: {subset_size: 100}}`.  \\[default: as in suites]",
            show_default=False,
        ),
    ] = None,
    extractor: Annotated[
        list[str] | None,
        typer.Option(
            "--extractor",
            metavar="NAME",
            help="What features are read by; all metrics by the first one. Repeatable.  \\[default: as in suites]",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", help="How many.  \\[default: all; of a checkpoint 10,000]", show_default=False),
    ] = None,
    reference: Annotated[int, typer.Option("--reference", help="Real samples at most.")] = 10_000,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help="Of latents and of what metrics draw.  \\[default: 0; a checkpoint's own]",
            show_default=False,
        ),
    ] = None,
    step: Annotated[
        int | None, typer.Option("--step", help="G step of a checkpoint.  \\[default: the last]", show_default=False)
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Array in an .npz.  \\[default: arr_0, or the only one]", show_default=False),
    ] = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Resize pictures that have another size than the dataset's.")
    ] = False,
    device: DeviceOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Write JSON to a file, too.", show_default=False)
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Score samples that exist, or a stored generator, by the protocol that suites use, with no suite.

    Examples:

    \b
    ganbench evaluate samples/ --dataset mnist
    ganbench evaluate samples.npz --dataset '{mnist: {}}' --metrics fid,kid
    ganbench evaluate runs/cells/8f0c6a1b2d3e4f50 --samples 2000

    Arrays hold pictures as uint8, NHWC or NCHW (told by the dataset's shape), or points as floats (n, d).

    The ceiling is what as many held-out real samples get; no generator can be expected to beat it.

    A checkpoint is sampled as its suite sampled it: the same settings give the same scores.
    """
    with errors_told():
        from ganbench.api import evaluate as score
        from ganbench.cli.registries import load_plugins
        from ganbench.paths import write_whole

        load_plugins(plugin or ())
        found = score(
            source,
            dataset,
            metrics=metrics,
            extractors=extractor or (),
            samples=samples,
            reference=reference,
            seed=seed,
            step=step,
            key=key,
            resize=resize,
            device=device,
        )
        text = json.dumps(found.as_json(), indent=1, allow_nan=False) + "\n"
        if out is not None:
            write_whole(Path(out), text.encode())
        if as_json:
            typer.echo(text, nl=False)
        else:
            _show(found)


def _show(found: Evaluation) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(found))
    for line in _told(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(found: Evaluation) -> Table:
    from rich.table import Table

    missing = any(math.isnan(value) for value in found.values.values())
    table = Table("value", pad_edge=False)
    for heading in ("score", "ceiling"):
        table.add_column(heading, justify="right")
    if missing:
        table.add_column("why it is missing")
    for name, value in found.values.items():
        better = {"lower": " (lower is better)", "higher": " (higher is better)"}.get(found.better.get(name, ""), "")
        row = [f"{name}{better}", _number(value), _number(found.ceiling.values.get(name, math.nan))]
        table.add_row(*row, *([found.reasons.get(name, "")] if missing else []))
    return table


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.6g}"


def _told(found: Evaluation) -> Iterator[str]:
    """Say what was scored and everything that fixed the numbers, a line at a time."""
    yield f"source: {_listed({name: value for name, value in found.source.items() if name != 'kind'})}"
    if found.ceiling.reason:
        yield f"ceiling: none, {found.ceiling.reason}"
    protocol: Mapping[str, Any] = found.protocol
    for extractor in (protocol["extractor"], *protocol.get("further", ())):
        yield f"extractor: {extractor['name']} ({_listed({k: v for k, v in extractor.items() if k != 'name' and v})})"
    real = protocol["reference"]
    content = protocol["dataset"]
    yield f"reference: {real['count']} of {content['name']}, {real['split']} split ({real['order']})"
    yield f"dataset: {_listed({k: v for k, v in content.items() if v})}"
    yield f"samples: {protocol['samples']}; quantisation: {protocol['quantisation']}"
    if "resize" in protocol:
        yield f"resize: {protocol['resize']}"
    if found.source.get("kind") == "generator":
        yield f"batch norm: {protocol['batch_norm']}; labels: {protocol['labels']}"
    version, fidelity = protocol["version"], protocol["torch_fidelity"]
    yield f"protocol: {found.protocol_id} (version {version}, torch-fidelity {fidelity}; --json has all of it)"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
