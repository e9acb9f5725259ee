"""What the store keeps of tuning, read as if anybody had made it: a record is whole, or it is said what it lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ganbench.reporting.frame import Frame
from ganbench.reporting.tuning.front import FrontOf
from ganbench.reporting.tuning.record import (
    DEFAULT,
    EVEN,
    VARIANTS,
    Borrowed,
    Parameter,
    Settings,
    Trial,
    TunedSubject,
)
from ganbench.stats import Interval
from ganbench.store import StoreError

VERSION = 1
ENOUGH = 10**308  # the size of a number that a figure can show


class Unreadable(Exception):  # noqa: N818 - reads as what it is
    """What the store keeps of tuning cannot be shown; the message says why, as the end of a sentence."""


def kept(frame: Frame) -> tuple[TunedSubject, ...]:
    """Return what tuning left of the studies of a frame's suite; none where it was not tuned.

    Raises Unreadable where there is a file that is not what this version writes, or that belongs to another run.
    """
    try:
        found = frame.store.tuning(frame.suite.name)
    except StoreError:
        raise Unreadable("it is not valid JSON") from None
    if found is None:
        return ()
    if found.get("version") != VERSION:
        raise Unreadable(f"it was written by another version of ganbench (it has {found.get('version')!r:.20})")
    try:
        studies = tuple(_study(each) for each in _list(found.get("studies")))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"it is damaged ({error})") from None
    strange = {label for each in studies for label in each.objectives.values()} - set(frame.objectives)
    fronts = [each.front for each in studies if each.front]
    strange |= {label for each in fronts for label in each.labels.values()} - set(frame.objectives)
    strange |= {each.dataset for each in studies} - set(frame.datasets)
    if strange or not studies:
        raise Unreadable("it belongs to another run of the suite")
    return studies


def _study(found: Any) -> TunedSubject:
    parameters = tuple(_parameter(each) for each in _list(found.get("parameters")))
    if len({each.name for each in parameters}) < len(parameters):
        raise ValueError("two parameters have one name")
    made = TunedSubject(
        _text(found.get("objective")),
        _text(found.get("dataset")),
        _text(found.get("value")),
        _one_of("lower", "higher")(found.get("better")),
        [_trial(each, parameters, found.get("sampler") in EVEN) for each in _list(found.get("trials"))],
        _mapping(found.get("measured"), _interval),
        _mapping(found.get("objectives"), _text),
        _text(found.get("architecture")),
        parameters,
        _mapping(found.get("variants"), lambda settings: _settings(settings, parameters)),
        _text(found.get("sampler")),
        tuple(_borrowed(each) for each in _list(found.get("borrowed"))),
        _mapping(found.get("centres"), _interval),
        _maybe(_front)(found.get("front")),
        _mapping(found.get("beyond", {}), lambda settings: _settings(settings, ())),
    )
    if DEFAULT not in made.measured or not made.trials:
        raise ValueError(f"{made.objective} on {made.dataset} has no trials, or no default settings")
    if not set(made.measured) <= set(VARIANTS) or set(made.objectives) != set(made.measured):
        raise ValueError(f"{made.objective} on {made.dataset} has other variants than {', '.join(VARIANTS)}")
    return made


def _trial(found: Any, parameters: tuple[Parameter, ...], even: bool) -> Trial:
    state = _one_of("complete", "infeasible", "pruned")(found.get("state"))
    score = _maybe(_number)(found.get("score"))
    if (score is None) == (state == "complete"):
        raise ValueError("a trial has a score just where it is complete")
    settings = _settings(found.get("settings"), parameters)
    if missing := [each.name for each in parameters if each.name not in settings]:
        raise ValueError(f"a trial has no {missing[0]}")
    lost = tuple(_text(each) for each in _list(found.get("lost")))
    drawn = found.get("drawn", even)
    if not isinstance(drawn, bool):
        raise ValueError(f"expected true or false, got {drawn!r:.40}")
    return Trial(int(_number(found.get("number"))), settings, score, state, lost, drawn)


def _parameter(found: Any) -> Parameter:
    kind = _one_of("int", "float", "log", "choice")(found.get("kind"))
    ends = tuple(_value(each) for each in _list(found.get("ends")))
    if kind != "choice" and (len(ends) != 2 or not all(_of(kind, each) for each in ends)):
        raise ValueError("a range needs two numbers")
    share, chance = (_maybe(_number)(found.get(name)) for name in ("importance", "chance"))
    return Parameter(_text(found.get("name")), kind, ends, share, chance)


def _settings(found: Any, parameters: tuple[Parameter, ...]) -> Settings:
    made = _mapping(found, _value)
    for each in parameters:
        if each.name in made and each.numeric and not _of(each.kind, made[each.name]):
            raise ValueError(f"{each.name} cannot be {made[each.name]!r:.40}")
    return made


def _of(kind: str, value: Any) -> bool:
    """Whether a value has a place on an axis of this kind of range."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (kind != "log" or value > 0)


def _borrowed(found: Any) -> Borrowed:
    same = found.get("same")
    if not isinstance(same, bool):
        raise ValueError(f"expected true or false, got {same!r:.40}")
    mean, regret = (_maybe(_interval)(found.get(name)) for name in ("mean", "regret"))
    return Borrowed(_text(found.get("dataset")), mean, regret, same, _text(found.get("reason")))


def _front(found: Any) -> FrontOf:
    def point(given: Any) -> list[float]:
        return [_number(each) for each in _list(given)]

    made = FrontOf(
        _text(found.get("objective")),
        _text(found.get("dataset")),
        [_text(each) for each in _list(found.get("values"))],
        [_one_of("lower", "higher")(each) for each in _list(found.get("better"))],
        [point(each) for each in _list(found.get("trials"))],
        [point(each) for each in _list(found.get("front"))],
        _mapping(found.get("measured"), lambda means: [_interval(each) for each in _list(means)]),
        _mapping(found.get("labels"), _text),
        _mapping(found.get("settings"), _text),
    )
    sizes = {len(each) for each in (made.better, *made.trials, *made.front, *made.measured.values())}
    if len(made.values) < 2 or sizes != {len(made.values)} or "default" not in made.labels:
        raise ValueError(f"the front of {made.objective} on {made.dataset} lacks values")
    if set(made.labels) != set(made.measured):
        raise ValueError(f"the front of {made.objective} on {made.dataset} has settings without a name")
    return made


def _interval(found: Any) -> Interval:
    numbers = [_maybe(_number)(found.get(name)) for name in ("value", "low", "high")]
    value, low, high = (math.nan if number is None else number for number in numbers)
    return Interval(value, low, high, int(_number(found.get("n"))), _text(found.get("reason")))


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError(f"expected a text, got {found!r:.40}")
    return found


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < ENOUGH:
        raise ValueError(f"expected a number, got {found!r:.40}")
    return found


def _value(found: Any) -> Any:
    if isinstance(found, bool | str | None):
        return found
    return _number(found)


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError(f"expected a list, got {found!r:.40}")
    return found


def _mapping(found: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise ValueError(f"expected an object, got {found!r:.40}")
    return {name: read(value) for name, value in found.items()}


def _maybe(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda found: None if found is None else read(found)


def _one_of(*allowed: str) -> Callable[[Any], Any]:
    def read(found: Any) -> str:
        if found not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, got {found!r:.40}")
        return str(found)

    return read
