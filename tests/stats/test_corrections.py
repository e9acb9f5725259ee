import math

import numpy as np
import pytest

from ganbench.stats import holm


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_leaves_out_tests_that_were_not_made():
    found = holm([math.nan, 0.02, 0.5])
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([0.04, 0.5])


def test_holm_keeps_the_family_wise_error():
    uniform = np.random.default_rng(0).uniform(size=(2000, 6))
    wrong = np.mean([min(holm(row)) < 0.05 for row in uniform.tolist()])
    assert wrong == pytest.approx(0.05, abs=0.02)
