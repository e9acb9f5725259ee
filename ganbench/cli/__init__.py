"""The command line: one file per verb, and nothing heavy imported before a verb needs it."""

from __future__ import annotations

import gc
import importlib.util
import sys

import typer

from ganbench.cli import (
    compare,
    data,
    doctor,
    evaluate,
    fetch,
    list_plugins,
    merge,
    plan,
    pull,
    report,
    run,
    sample,
    show,
    status,
    track,
    tune,
)

# Made between two searches for garbage (700 otherwise): a sixth of importing MLflow would be such searches.
OBJECTS = 50_000

app = typer.Typer(
    name="ganbench",
    help=(
        "Find out which GAN objective works on your data, and how sure you can be.\n\n"
        "Write a suite (a YAML file), look at what it would do with [bold]ganbench plan SUITE[/bold], start it "
        "with [bold]ganbench run SUITE[/bold], and read the report that it ends with. A run that was "
        "interrupted goes on where it stopped; what is finished is never run again."
    ),
    epilog=(
        "Exit codes: 0 every cell has a result (diverged is one), 1 some failed, 2 bad input, 130 interrupted "
        "(143 by SIGTERM, 129 by SIGHUP)."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("tune")(tune.tune)
app.command("fetch")(fetch.fetch)
app.command("data")(data.data)
app.command("doctor")(doctor.doctor)
app.command("list")(list_plugins.list_plugins)
app.command("show")(show.show)
app.command("evaluate")(evaluate.evaluate)
app.command("sample")(sample.sample)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("status")(status.status)
app.command("track")(track.track)
app.command("pull")(pull.pull)
app.command("merge")(merge.merge)


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    if version:
        import ganbench

        typer.echo(ganbench.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line."""
    # Workers run the module again that started their parent, unless it is `python -m ganbench`; so is this, in effect.
    sys.modules["__main__"].__spec__ = importlib.util.find_spec("ganbench.__main__")
    gc.set_threshold(OBJECTS)
    try:
        app()
    finally:
        # Without this the end of the process searches all that torch and MLflow have made for garbage, for most of a
        # second. Triton, which torchvision brings, reports at length on whatever is not freed.
        if "triton" not in sys.modules:
            gc.freeze()
