"""The policy of the pages allows their own style and script, and nothing else."""

import base64
import hashlib
import re

from cgikit.inspector.markup import page
from cgikit.inspector.style import HEADERS, POLICY


def test_the_policy_names_what_is_in_the_page() -> None:
    """A page whose style had one character more than the policy knows would have none."""
    text = page("Title", "", updates=True).decode()
    for element in ("style", "script"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in POLICY
    assert "<script" not in page("Title", "").decode()


def test_nothing_else_is_allowed() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["form-action"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in POLICY


def test_the_pages_are_kept_nowhere_and_framed_nowhere() -> None:
    fields = dict(HEADERS)
    assert fields["Cache-Control"] == "no-store"
    assert fields["X-Frame-Options"] == "DENY"
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["Cross-Origin-Opener-Policy"] == "same-origin"
    assert fields["Referrer-Policy"] == "same-origin"
