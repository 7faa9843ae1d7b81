"""The style sheet, and the policy that allows it alone."""

import base64
import hashlib
import re

from cgikit.tracing.style import CHART, PAGE, PALETTE, POLICY


def test_the_policy_allows_this_sheet_alone() -> None:
    digest = base64.b64encode(hashlib.sha256(PAGE.encode()).digest()).decode()
    assert POLICY.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in POLICY
    assert PAGE.strip() == PAGE  # else the Nu Html Checker sees another hash


def test_every_colour_is_there_in_both_schemes() -> None:
    light, dark = PALETTE.split("@media")
    used = set(re.findall(r"var\((--[a-z]+)\)", CHART))
    assert used <= set(re.findall(r"(--[a-z]+):", light)) & set(re.findall(r"(--[a-z]+):", dark))


def test_nothing_is_loaded() -> None:
    assert not re.search(r"url\(|@import|</", PAGE)
