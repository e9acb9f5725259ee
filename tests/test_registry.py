"""The registry: names, suggestions, versions, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ganbench.cli.registries import registries
from ganbench.plugins import Positive
from ganbench.registry import Registry, UnknownName, load_file


@pytest.mark.parametrize("plural", registries())
def test_every_built_in_plugin_can_be_described_and_has_a_docstring_of_its_own(plural: str) -> None:
    registry = registries()[plural]
    for name in registry.names():
        assert len(registry.doc(name).splitlines()[0]) > 10
        assert int(registry.version(name).split("+")[0]) >= 1
        needed = {p.name: "." for p in registry.parameters(name).values() if p.required}
        part = registry.part(name, needed)
        assert list(part.parameters) == list(registry.parameters(name))
        assert part.create() is not None


def fresh() -> Registry:
    registry = Registry("widget", {})

    @registry.register("bolt")
    @dataclass(frozen=True)
    class Bolt:
        """A bolt."""

        size: Positive = 1.0
        turns: int = 3

    return registry


def test_a_name_leads_to_a_plugin_and_a_wrong_one_to_the_nearest() -> None:
    registry = fresh()
    assert registry.create("bolt", size=2.5).size == 2.5
    assert registry.part("bolt", {"turns": 4}).label == "bolt(turns=4)"
    with pytest.raises(UnknownName, match="did you mean 'bolt'"):
        registry.create("blot")


def test_parameters_are_checked_all_at_once() -> None:
    told = r"unknown parameter of bolt 'sise'; did you mean 'size'.*turns of bolt"
    with pytest.raises(ValueError, match=told) as caught:
        fresh().create("bolt", sise=1.0, turns="many")
    assert "valid integer" in str(caught.value)
    with pytest.raises(ValueError, match="greater than 0"):
        fresh().create("bolt", size=-1.0)


def test_a_name_is_taken_once_and_a_plugin_is_frozen() -> None:
    registry = fresh()

    @dataclass(frozen=True)
    class Other:
        """Another."""

    @dataclass
    class Loose:
        """Not frozen."""

    with pytest.raises(ValueError, match="already registered"):
        registry.register("bolt")(Other)
    with pytest.raises(TypeError, match="frozen"):
        registry.register("loose")(Loose)


def test_a_plugin_file_gets_a_version_from_its_content(tmp_path: Path) -> None:
    source = (
        "from dataclasses import dataclass\nfrom ganbench import losses\n"
        "@losses.register('{name}')\n@dataclass(frozen=True)\nclass L:\n    'A loss.'\n    {body}\n"
    )
    from ganbench import losses

    for name, body in (("first_of_file", "a: float = 1.0"), ("second_of_file", "a: float = 2.0")):
        path = tmp_path / f"{name}.py"
        path.write_text(source.format(name=name, body=body))
        load_file(path)
    first, second = losses.registry.version("first_of_file"), losses.registry.version("second_of_file")
    assert first.startswith("1+")
    assert first != second


def test_a_plugin_file_that_was_edited_is_loaded_again(tmp_path: Path) -> None:
    from ganbench import losses

    path = tmp_path / "edited.py"
    source = (
        "from dataclasses import dataclass\nfrom ganbench import losses\n"
        "@losses.register('edited')\n@dataclass(frozen=True)\nclass L:\n    'A loss.'\n    a: float = {}\n"
    )
    for value in (1.0, 2.0):
        path.write_text(source.format(value))
        load_file(path)
        assert losses.create("edited").a == value
