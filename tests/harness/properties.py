"""What property tests share: the texts a server can hand over, and the oracle of every parser.

The oracle is one sentence: whatever comes in, a value or a `CGIError` comes out. Anything else that
is raised fails the test by itself.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from cgikit import CGIError


def as_environ(raw: bytes) -> str:
    """The str that `os.environ` shows for `raw`: UTF-8, with surrogate escapes for other bytes."""
    return raw.decode("utf-8", "surrogateescape")


#: Text that can be encoded: everything but lone surrogates.
texts = st.text(st.characters(exclude_categories=("Cs",)))

#: Any str that Python can hold, lone surrogates included.
any_texts = st.text(st.characters() | st.characters(categories=("Cs",)))

#: Values of meta-variables: any bytes but NUL, as `os.environ` shows them.
environ_texts = st.binary().map(lambda raw: as_environ(raw.replace(b"\0", b"")))

#: Bytes dense in what the parsers of this library look at.
noisy = st.lists(
    st.sampled_from(
        [*list('&=;,+%"\\ \t\r\n\x00\x1e\x1f/:?#@[].-_aZ09'), "%41", "%e", "%1e", "ü", "�"]
    )
    | st.characters(exclude_categories=("Cs",)),
).map("".join)

#: Control characters, and the Unicode line ends that some code takes for one.
CONTROLS = [chr(c) for c in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029)]


def outcome(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return what the call returns, or the `CGIError` it raises; all else passes through."""
    try:
        return call(*args, **options)
    except CGIError as error:
        failure = error
    assert 400 <= failure.status <= 599
    assert failure.message
    return failure


def placements(bad: str, good: str = "value") -> list[str]:
    """`good` with `bad` put first, in the middle and last."""
    middle = len(good) // 2
    return [bad + good, good[:middle] + bad + good[middle:], good + bad]
