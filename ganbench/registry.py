"""One registry per kind of plugin: a name leads to a frozen dataclass, imported when it is asked for."""

from __future__ import annotations

import difflib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ganbench.plain_data import canonical

C = TypeVar("C", bound=type)

_loading: ContextVar[Path | None] = ContextVar("plugin file being loaded", default=None)
_kinds: dict[str, Registry] = {}


class UnknownName(LookupError):  # noqa: N818 - reads as what happened
    """A name that is not registered; the message says what is allowed and which name is nearest."""


def unknown(what: str, name: object, allowed: Iterable[str]) -> str:
    """Say that `name` is not one of the `allowed` names of a `what`, and which of them is nearest."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    near.sort(key=lambda candidate: sorted(candidate) != sorted(str(name)))  # letters in another order come first
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}{hint} (allowed: {', '.join(names) or 'none'})"


@dataclass(frozen=True)
class Parameter:
    """One hyper-parameter of a plugin: its name, type and default (`MISSING` where it must be given)."""

    name: str
    type: Any
    default: Any
    in_key: bool = True

    @property
    def required(self) -> bool:
        """Whether the parameter has no default."""
        return self.default is MISSING

    def check(self, value: object) -> object:
        """Return `value` as this parameter's type; ValueError says what is wrong with it."""
        try:
            return TypeAdapter(self.type).validate_python(value, strict=True)
        except ValidationError as error:
            raise ValueError("; ".join(problem["msg"] for problem in error.errors())) from None

    @property
    def type_name(self) -> str:
        """The type as a person reads it."""
        if typing.get_origin(self.type) is typing.Annotated:
            base, *limits = typing.get_args(self.type)
            signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
            shown = [
                f"{sign} {getattr(limit, name)}"
                for limit in limits
                for name, sign in signs.items()
                if hasattr(limit, name)
            ]
            return f"{getattr(base, '__name__', base)} {', '.join(shown)}"
        if typing.get_origin(self.type) is typing.Literal:
            return " | ".join(map(repr, typing.get_args(self.type)))
        return str(getattr(self.type, "__name__", self.type))


@dataclass(frozen=True)
class Part:
    """A plugin chosen by name with all its parameters: what a cell is made of, as plain data.

    `parameters` holds every parameter, defaults included, so that a changed default changes the key.
    """

    kind: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = "1"

    def create(self) -> Any:
        """Build the plugin itself."""
        return _kinds[self.kind].get(self.name)(**self.parameters)

    def as_json(self) -> dict[str, Any]:
        """Give what enters a cell's key: name, version and the parameters that change numbers."""
        known = _kinds[self.kind].parameters(self.name)
        kept = {name: value for name, value in self.parameters.items() if known[name].in_key}
        return {"name": self.name, "version": self.version, "parameters": kept}

    @cached_property
    def text(self) -> str:
        """What enters a cell's key, as canonical JSON: written once, since thousands of cells share a part."""
        return canonical(self.as_json())

    @property
    def own(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        known = _kinds[self.kind].parameters(self.name)
        return {name: value for name, value in self.parameters.items() if value != known[name].default}

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from their defaults."""
        own = [f"{name}={value}" for name, value in self.own.items()]
        return f"{self.name}({', '.join(own)})" if own else self.name


class Registry:
    """The plugins of one kind: built-in ones by module, others by entry point, decorator or local file."""

    def __init__(self, kind: str, builtin: Mapping[str, str]) -> None:
        """Name the kind in the singular (`loss`) and the module that holds each built-in plugin."""
        self.kind = kind
        self._builtin = dict(builtin)
        self._classes: dict[str, type] = {}
        self._files: dict[str, Path] = {}
        _kinds[kind] = self

    @property
    def plural(self) -> str:
        """The kind in the plural: the word in a suite, in entry points and in `ganbench list`."""
        if self.kind.endswith("s"):
            return f"{self.kind}es"
        return f"{self.kind[:-1]}ies" if self.kind.endswith("y") else f"{self.kind}s"

    def register(self, name: str) -> Callable[[C], C]:
        """Decorate a frozen dataclass to make it available under `name`.

        Raises ValueError when another class has the name, TypeError when the class is no frozen dataclass.
        """

        def decorate(cls: C) -> C:
            settings = getattr(cls, "__dataclass_params__", None)
            if settings is None or not settings.frozen:
                raise TypeError(f"{self.kind} {name!r}: {cls.__name__} must be a @dataclass(frozen=True)")
            taken = self._classes.get(name)
            origin = _loading.get()
            other_builtin = name in self._builtin and self._builtin[name] != cls.__module__
            edited = origin is not None and self._files.get(name) == origin
            if other_builtin or (taken is not None and not edited and _place(taken) != _place(cls)):
                raise ValueError(f"{self.kind} {name!r} is already registered; choose another name")
            self._classes[name] = cls
            if origin is not None:
                self._files[name] = origin
            return cls

        return decorate

    def names(self) -> list[str]:
        """List every name that can be created, sorted."""
        return sorted({*self._builtin, *self._classes, *self._entry_points()})

    def get(self, name: str) -> type:
        """Return the class behind `name`, importing it if need be; UnknownName suggests the nearest."""
        if name not in self._classes:
            if name in self._builtin:
                importlib.import_module(self._builtin[name])
            elif (found := self._entry_points().get(name)) is not None:
                loaded = found.load()
                if name not in self._classes:
                    self.register(name)(loaded)
            else:
                raise UnknownName(unknown(self.kind, name, self.names()))
        return self._classes[name]

    def create(self, name: str, **parameters: object) -> Any:
        """Build the plugin `name`; unknown or ill-typed parameters raise ValueError."""
        return self.part(name, parameters).create()

    def part(self, name: str, parameters: Mapping[str, object]) -> Part:
        """Check `parameters` and fill in the defaults; ValueError lists every problem."""
        known = self.parameters(name)
        problems = [unknown(f"parameter of {name}", key, known) for key in parameters if key not in known]
        values: dict[str, Any] = {}
        for parameter in known.values():
            if parameter.name not in parameters:
                if parameter.required:
                    problems.append(f"{name} needs the parameter {parameter.name!r} ({parameter.type_name})")
                values[parameter.name] = parameter.default
                continue
            try:
                values[parameter.name] = parameter.check(parameters[parameter.name])
            except ValueError as error:
                problems.append(f"{parameter.name} of {name}: {error}")
        if problems:
            raise ValueError("; ".join(problems))
        self.get(name)(**values)  # the plugin's own __post_init__ has the last word
        return Part(self.kind, name, values, self.version(name))

    def parameters(self, name: str) -> dict[str, Parameter]:
        """Return the hyper-parameters of `name` in the order in which they were written."""
        return dict(_parameters(self.get(name)))

    def version(self, name: str) -> str:
        """Return the plugin's version; a local file's content counts too: nobody bumps a version while editing."""
        declared = str(getattr(self.get(name), "version", 1))
        path = self._files.get(name)
        if path is None:
            return declared
        return f"{declared}+{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"

    def doc(self, name: str) -> str:
        """Return the plugin's docstring: its equations and source."""
        return inspect.getdoc(self.get(name)) or ""

    def _entry_points(self) -> Mapping[str, importlib.metadata.EntryPoint]:
        return _installed(f"ganbench.{self.plural}")


@functools.cache
def _installed(group: str) -> Mapping[str, importlib.metadata.EntryPoint]:
    """Return the entry points of a group; read once, since every reading goes through all installed packages."""
    return {point.name: point for point in importlib.metadata.entry_points(group=group)}


def _place(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


@functools.cache
def _parameters(cls: type) -> Mapping[str, Parameter]:
    """Read the fields of a plugin's class once: a plan asks for them thousands of times."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        f.name: Parameter(f.name, hints[f.name], _default(f), bool(f.metadata.get("in_key", True)))
        for f in fields(cls)
        if f.init
    }


def _default(f: Field[Any]) -> Any:
    return f.default_factory() if f.default_factory is not MISSING else f.default


def load_file(path: Path) -> None:
    """Import a local plugin file, so that its decorators register what it defines; again only after an edit."""
    path = path.resolve()
    source = path.read_bytes()
    name = f"ganbench_plugin_{path.stem}_{hashlib.sha256(str(path).encode() + source).hexdigest()[:12]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    token = _loading.set(path)
    try:
        # Not by the loader: within a second of an edit it takes a file of equal size for the one it compiled before.
        exec(compile(source, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        _loading.reset(token)
