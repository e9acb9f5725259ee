"""Scikit-learn's handwritten digits: real data that needs no download."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ganbench.datasets import register
from ganbench.plugins import Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register("digits")
@dataclass(frozen=True)
class Digits:
    """1,797 handwritten digits, 8 x 8 grey pixels, shipped with scikit-learn (Alpaydin and Kaynak 1998).

    Values 0..16 become 0..255. A fifth of each class, rounded down, is the test split: 1,442 digits to train
    on, 355 to test.
    """

    version: ClassVar[int] = 1

    @property
    def shape(self) -> Shape:
        """One grey channel, 8 x 8."""
        return (1, 8, 8)

    @property
    def classes(self) -> int:
        """Ten digits."""
        return 10

    def missing(self, root: Path) -> None:
        """Nothing: scikit-learn brings them along."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 1, 8, 8)` with labels, in scikit-learn's order."""
        import numpy as np

        pixels, labels = _read()
        images = np.rint(pixels * (255 / 16)).astype(np.uint8)[:, None]
        stream = np.random.RandomState(0)
        in_test = np.zeros(len(labels), dtype=bool)
        for digit in range(self.classes):
            members = stream.permutation(np.flatnonzero(labels == digit))
            in_test[members[: len(members) // 5]] = True
        chosen = in_test if split == "test" else ~in_test
        return Split(images[chosen], labels[chosen])


def _read() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return pixels 0..16 `(1797, 8, 8)` and labels `(1797,)` from scikit-learn's file.

    Importing scikit-learn takes two seconds, which every cohort would spend: its file is read without.
    """
    import numpy as np

    for folder in getattr(importlib.util.find_spec("sklearn"), "submodule_search_locations", None) or ():
        table = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if table.is_file():
            rows = np.loadtxt(table, delimiter=",", dtype=np.float64)
            return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target.astype(np.int64)
