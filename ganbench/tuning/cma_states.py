"""What Optuna's CMA-ES keeps in a study is a pickle that it loads: looked at here first, a store may be anybody's."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

KEPT = "cma:optimizer"  # in parts: cma:optimizer:0, ...
ALLOWED = {
    ("cmaes._cma", "CMA"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.multiarray", "_reconstruct"),  # of numpy 1
    ("numpy.core.multiarray", "scalar"),
}


class CmaStates:
    """Looks at each trial's state once."""

    def __init__(self) -> None:
        """Start with none seen."""
        self._seen: dict[int, int] = {}

    def harmless(self, trials: Iterable[FrozenTrial]) -> bool:
        """Say whether all states consist of numbers and of what the package itself makes, and would execute nothing."""
        for trial in trials:
            parts = {name: text for name, text in trial.system_attrs.items() if name.startswith(KEPT)}
            if not parts or self._seen.get(trial.number) == hash(tuple(parts.items())):
                continue
            try:
                # Joined as Optuna does.
                raw = bytes.fromhex("".join(parts[f"{KEPT}:{place}"] for place in range(len(parts))))
                _Restricted(io.BytesIO(raw)).load()
            except Exception:  # a pickle that somebody else made may raise anything
                return False
            self._seen[trial.number] = hash(tuple(parts.items()))
        return True


class _Restricted(pickle.Unpickler):
    """Finds nothing but what a state consists of."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what is allowed; UnpicklingError otherwise."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a state")
        return super().find_class(module, name)
