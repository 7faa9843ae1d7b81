"""What may differ between a script and its port, and how all else is compared."""

from .visitor import Parts

#: By script and step: how the port answers a request that no form of its page can send, where the
#: script in Perl ignores what it does not understand and answers with its page.
REFUSED = {
    ("cart", "no such thing"): 400,
    ("cart", "no number"): 400,
}


def differences(name: str, there: dict[str, Parts], here: dict[str, Parts]) -> list[str]:
    """The steps that do not mean the same, with what differs."""
    wrong = [f"steps: {list(there)} and {list(here)}"] if list(there) != list(here) else []
    for step, expected in there.items():
        found = dict(here.get(step, {}))
        if status := REFUSED.get((name, step)):
            expected, found = {"status": status}, {"status": found.get("status")}
        if redirects_after_post(name, expected, found):
            found["redirects"] = []
        for part in {**expected, **found}:
            if expected.get(part) != found.get(part):
                wrong.append(f"{step}, {part}: {expected.get(part)!r} became {found.get(part)!r}")
    return wrong


def redirects_after_post(name: str, there: Parts, here: Parts) -> bool:
    """Whether only the port sends the browser on from a POST to its own page: no reload posts again."""
    went = here.get("redirects")
    own = isinstance(went, list) and len(went) == 1 and went[0].partition("?")[0] == name
    return own and there["method"] == here["method"] == "POST" and there["redirects"] == []
