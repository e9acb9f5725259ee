"""Plain data as JSON: the same text whether or not a number had to be replaced."""

from __future__ import annotations

import json
import math
from types import MappingProxyType

import pytest

from ganbench.plain_data import as_json


@pytest.mark.parametrize("indented", [False, True])
def test_numbers_that_are_not_finite_become_null_and_all_else_stays(indented: bool) -> None:
    told = {"step": 3.0, "d_loss": 1e-320, "names": ("ß", None, True, 7), "nested": {"empty": {}}}
    text = as_json(told, indented)
    assert json.loads(text) == {**told, "names": list(told["names"])}
    assert text.endswith(b"}\n") and (text.count(b"\n") > 1) is indented
    for number in (math.nan, math.inf, -math.inf):
        assert as_json({**told, "nested": {"empty": number}}, indented) == text.replace(b"{}", b"null")
    assert as_json(MappingProxyType({**told, "nested": MappingProxyType({"empty": {}})}), indented) == text
