"""Content negotiation (RFC 9110 section 12): Accept, Accept-Language, Accept-Charset, Accept-Encoding,
and the Vary field of the answer.

Implements RFC 9110 sections 12.4, 12.5 and 8.4.1, and RFC 4647 for languages. Pure functions of a
header value and what the script offers. Only the invalid member of a field is skipped. A field without
a valid member counts as absent, and so does an empty one, because CGI does not distinguish them (RFC
3875 section 4.1).
"""

from .headers import is_token
from .parameters import parse_header, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: The value of a member, its parameters, and its weight in thousandths
    Member = tuple[str, dict[str, str], int]

# Browsers send about ten. More are ignored, which RFC 9110 section 12.1 allows.
_MEMBERS = 100


def types(header: str, offered: "Iterable[str]") -> str | None:
    """Return the one of the `offered` media types that an Accept field prefers, or None if it accepts
    none of them (RFC 9110 section 12.5.1).

    The weight of an offer is that of the most specific range that matches it: a type with parameters
    before the plain type, before `type/*`, before `*/*`. Among offers of equal weight the first is
    returned, and one of weight 0 never. Without the field, the first offer is returned. `*` alone is
    read as `*/*`, as Java's HTTP client sends it. Raises `ValueError` for an offer that is not a media
    type, `TypeError` for a str instead of a list.
    """
    ranges = [
        (kind, parameters, weight)
        for value, parameters, weight in _members(header)
        if _is_range(kind := "*/*" if value == "*" else value)
    ]

    def weigh(offer: str) -> int:
        value, given = parse_header(offer.lower())
        main = value.partition("/")[0] + "/*"
        best = (-1, 0)
        for kind, parameters, weight in ranges:
            if kind == value and parameters.items() <= given.items():
                best = max(best, (2 + len(parameters), weight))
            elif kind in (main, "*/*") and not parameters:
                best = max(best, (1 if kind == main else 0, weight))
        return best[1]

    return _best(offered, weigh, bool(ranges), _is_type, "'text/html'")


def languages(header: str, offered: "Iterable[str]") -> str | None:
    """Return the one of the `offered` language tags that an Accept-Language field prefers, or None
    (RFC 9110 section 12.5.4).

    The weight of an offer is that of the longest range that equals the tag or is a prefix of it: `en`
    matches `en-GB` (RFC 4647 section 3.3.1, basic filtering). If there is none, an offer that is a
    prefix of a range gets slightly less than that range's weight (RFC 4647 section 3.4, lookup): a
    client that asks for `en-GB` gets `en`. `*` matches what no other range does. The rest is as in
    `types`.
    """
    ranges = [
        (value, weight)
        for value, _, weight in _members(header)
        if value == "*" or _is_language(value)
    ]

    def weigh(offer: str) -> float:
        tag = offer.lower() + "-"
        best = (-1, 0.0)
        for value, weight in ranges:
            if value == "*":
                best = max(best, (0, weight))
            elif tag.startswith(value + "-"):
                best = max(best, (1 + len(value), weight))
            elif weight and value.startswith(tag):  # excluding en-GB does not exclude en
                best = max(best, (1, weight - 0.5))  # after an exact match
        return best[1]

    return _best(offered, weigh, bool(ranges), _is_language, "'en' or 'en-GB'")


def charsets(header: str, offered: "Iterable[str]") -> str | None:
    """Return the one of the `offered` charsets that an Accept-Charset field prefers, or None (RFC 9110
    section 12.5.2). Browsers no longer send this field. Names are compared without regard
    to case; aliases are not resolved. The rest is as in `types`.
    """
    weights = _weights(header)

    def weigh(offer: str) -> int:
        return weights.get(offer.lower(), weights.get("*", 0))

    return _best(offered, weigh, bool(weights), is_token, "'utf-8'")


def encodings(header: str, offered: "Iterable[str]") -> str | None:
    """Return the one of the `offered` content codings that an Accept-Encoding field prefers, or None
    (RFC 9110 section 12.5.3): `encodings(header, ["gzip", "identity"])`.

    "identity" means: not encoded. It is acceptable unless `identity;q=0` or `*;q=0` excludes it, after
    all codings that the client names. Without the field, or if it is empty, only "identity" is
    returned: RFC 9110 permits any coding then, but the clients that send no field decode none.
    """
    weights = _weights(header)
    for old in ("x-gzip", "x-compress"):  # RFC 9110 sections 8.4.1.1 and 8.4.1.3
        if old in weights:
            weights.setdefault(old[2:], weights[old])

    def weigh(offer: str) -> float:
        coding = offer.lower()
        unnamed = 0.5 if coding == "identity" else 0  # less than any weight but 0
        return weights.get(coding, weights.get("*", unnamed))

    return _best(offered, weigh, True, is_token, "'gzip' or 'identity'")


def vary(present: str, names: "Iterable[str]") -> str:
    """Return the value of a Vary field with `names` added to what it has (RFC 9110 section 12.5.5).

    A name is added once, whatever its case; `*` includes them all. Raises `ValueError` for a name that
    is not a token.
    """
    listed = {}
    for name in [name.strip(" \t") for name in present.split(",")]:
        if name:
            listed[name.lower()] = name
    for name in names:
        if not is_token(name):
            raise ValueError(
                f"{name[:100]!r} is not the name of a header field; give one such as 'Accept'"
            )
        listed.setdefault(name.lower(), name)
    return "*" if "*" in listed else ", ".join(listed.values())


def _best(
    offered: "Iterable[str]",
    weigh: "Callable[[str], float]",
    asked: bool,
    valid: "Callable[[str], bool]",
    example: str,
) -> str | None:
    """Return the first of the offers with the greatest weight above 0; if nothing was `asked`, the
    first offer.
    """
    if isinstance(offered, str):
        raise TypeError(f"the offer {offered[:100]!r} is a str; give a list of them: [{example}]")
    best, greatest = None, 0.0
    for offer in offered:
        if not valid(offer):
            raise ValueError(
                f"the offer {offer[:100]!r} is not valid; give one such as {example}, without wildcards"
            )
        weight = weigh(offer) if asked else 1
        if weight > greatest:
            best, greatest = offer, weight
    return best


def _weights(header: str) -> dict[str, int]:
    """Return the weights of a field whose members are tokens; of a repeated one, the greatest."""
    weights: dict[str, int] = {}
    for value, _, weight in _members(header):
        if is_token(value):
            weights[value] = max(weight, weights.get(value, 0))
    return weights


def _members(header: str) -> "Iterator[Member]":
    """Yield the members of a field that have a valid weight, in lower case."""
    for count, member in enumerate(split_list(header.lower())):
        if count == _MEMBERS:
            return
        value, parameters = parse_header(member)
        weight = _thousandths(parameters.pop("q", "1"))
        if weight is not None:
            yield value, parameters, weight


def _thousandths(text: str) -> int | None:
    """Return a weight (RFC 9110 section 12.4.2) in thousandths; None if it is not one.

    Java's clients write `.2`; further digits than three are not looked at.
    """
    whole, _, digits = text.partition(".")
    if whole not in {"0", "1", ""} or not (whole or digits):
        return None
    if digits and not (digits.isascii() and digits.isdigit()):
        return None
    weight = int((digits + "000")[:3]) + (1000 if whole == "1" else 0)
    return weight if weight <= 1000 else None


def _is_range(value: str) -> bool:
    return value == "*/*" or _is_type(
        value.removesuffix("*") + "x" if value[-2:] == "/*" else value
    )


def _is_type(offer: str) -> bool:
    main, slash, sub = offer.partition(";")[0].strip(" \t").partition("/")
    return bool(slash) and "*" not in main + sub and is_token(main) and is_token(sub)


def _is_language(offer: str) -> bool:
    """Return whether this is a language tag, or a basic language range (RFC 4647 section 2.1)."""
    first, *others = offer.split("-")
    return (
        offer.isascii()
        and first.isalpha()
        and all(part.isalnum() for part in others)
        and all(len(part) <= 8 for part in (first, *others))
    )
