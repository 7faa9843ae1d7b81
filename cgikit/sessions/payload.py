"""The content of a session, and the JSON (RFC 8259) that it is stored as.

`Payload.encode` and `Payload.decode` are inverses. It is JSON and nothing else: reading a session
never runs code, even if somebody else has written it. Values are checked when they are written, and
errors name the key; the structure is checked when it is read.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_BYTES = 1 << 20  # of one payload. The stores of Django and PHP have no limit
KEEP = b'{"v":1,"keep":'  # the beginning of a payload that has a lifetime of its own
MAX_DEPTH = 100  # nesting of one value, as in a JSON body (limits.json_depth)
_INFINITY = float("inf")
_OBJECTS = ("data", "flash", "until")
_TEXTS = ("csrf", "former", "user", "mark")
_TIMES = ("rotated", "kept", "keep", "retired")


class Payload:
    """The content of one session.

    `created` is when it began; `retired` is when `rotate` replaced its id, or None. `data` and `flash`
    map names to JSON values; `until` says when single names of `data` expire. `csrf` is the token or
    "", `former` the token before the last `rotate` or "", `rotated` the time of that. `keep` is a
    lifetime in seconds, counted from `kept`, or None. `user` is the user or "", and `mark` that user's
    mark (`users.py`). Times are in seconds since the epoch.
    """

    __slots__ = (
        "created", "csrf", "data", "flash", "former", "keep", "kept", "mark", "retired", "rotated",
        "until", "user",
    )  # fmt: skip

    def __init__(self, created: float) -> None:
        self.created = created
        self.data: dict[str, Any] = {}
        self.until: dict[str, float] = {}
        self.flash: dict[str, Any] = {}
        self.csrf = self.former = ""
        self.rotated = self.kept = created
        self.keep: float | None = None
        self.user = self.mark = ""
        self.retired: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.data or self.flash or self.csrf or self.user)

    @property
    def is_token(self) -> bool:
        """Whether there is nothing but the token for forms."""
        return bool(self.csrf) and not (self.data or self.flash or self.user)

    def end(self, absolute: float) -> float:
        """Return when it ends, even if it is used: after its own lifetime, or after `absolute`
        seconds.
        """
        return self.created + absolute if self.keep is None else self.kept + self.keep

    def drop_expired(self, now: float) -> bool:
        """Drop the names that have expired; return whether there were any."""
        over = [name for name, end in self.until.items() if end <= now or name not in self.data]
        for name in over:
            del self.until[name]
            self.data.pop(name, None)
        return bool(over)

    def encode(self) -> bytes:
        """Return this as JSON (bytes, ASCII). The inverse is `decode`.

        Raises `TypeError` for a value that JSON cannot hold, and `ValueError` for a value that is
        nested too deeply, or if the result is larger than `MAX_BYTES`; both name the key.
        """
        quote = _quote()
        parts = ['{"v":1,']
        if self.keep is not None:
            parts = [KEEP.decode(), f'{float(self.keep)!r},"kept":{float(self.kept)!r},']
        parts.append(f'"created":{float(self.created)!r}')
        for kind, values in (("data", self.data), ("flash", self.flash)):
            if values or kind == "data":
                parts.append(f',"{kind}":{{')
                separator = ""
                for key, value in values.items():
                    parts.append(f"{separator}{quote(key)}:")
                    _write(value, parts, quote, key, MAX_DEPTH)
                    separator = ","
                parts.append("}")
        self._write_rest(parts, quote)
        parts.append("}")
        raw = "".join(parts).encode("ascii")
        if len(raw) > MAX_BYTES:
            raise ValueError(
                f"the session has {len(raw)} bytes, the limit is {MAX_BYTES}; its largest value is "
                f"{self._largest()!r}: keep that in a file, and the file's name in the session"
            )
        return raw

    def _write_rest(self, parts: list[str], quote: "Callable[[str], str]") -> None:
        """Append the parts that most sessions do not have."""
        if self.until:
            ends = ",".join([f"{quote(key)}:{end!r}" for key, end in self.until.items()])
            parts.append(f',"until":{{{ends}}}')
        if self.csrf:
            parts.append(f',"csrf":{quote(self.csrf)}')
        if self.user:
            parts.append(f',"user":{quote(self.user)},"mark":{quote(self.mark)}')
        if self.former:
            parts.append(f',"former":{quote(self.former)},"rotated":{float(self.rotated)!r}')
        if self.retired is not None:
            parts.append(f',"retired":{float(self.retired)!r}')

    @classmethod
    def decode(cls, raw: bytes) -> "Payload":
        """Return the payload that `encode` has written. Raises `ValueError` for anything else."""
        if len(raw) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        whole = _parse(raw)
        if not isinstance(whole, dict) or whole.get("v") != 1:
            raise ValueError("not a session of version 1")
        payload = cls(_number(whole.get("created"), "created"))
        for name, value in whole.items():  # most sessions have few of these
            if name in _OBJECTS:
                setattr(payload, name, _checked(name, value, dict, "an object"))
            elif name in _TEXTS:
                setattr(payload, name, _checked(name, value, str, "a string"))
            elif name in _TIMES:
                setattr(payload, name, _number(value, name))
        for end in payload.until.values():
            _number(end, "until")
        if len(raw) > MAX_BYTES // 4:
            payload.encode()  # other programs' JSON may grow when we write it, up to 4 times
        return payload

    def _largest(self) -> str:
        def size(key: str) -> int:
            parts: list[str] = []
            value = self.data[key] if key in self.data else self.flash[key]
            _write(value, parts, _quote(), key, MAX_DEPTH)
            return sum(map(len, parts))

        return max([*self.data, *self.flash], key=size, default="")


def _checked(name: str, value: object, kind: type, what: str) -> object:
    if not isinstance(value, kind):
        raise ValueError(f"{name} is not {what}")
    return value


def _quote() -> "Callable[[str], str]":
    # json imports re, which takes a third of the time of Python's own start; the C code below does not.
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        from json.encoder import encode_basestring_ascii
    return encode_basestring_ascii


def _write(
    value: object, parts: list[str], quote: "Callable[[str], str]", key: str, depth: int
) -> None:
    """Append the JSON of a value. The json module would accept values that are different when they are
    read again: tuples, numbers as keys, NaN.
    """
    if value is None or value is True or value is False:
        parts.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, str):
        parts.append(quote(value))
    elif isinstance(value, int):
        try:
            parts.append(int.__repr__(value))
        except ValueError:  # more than 4,300 digits could not be read again
            raise TypeError(f"session[{key!r}] holds an int that is too long for JSON") from None
    elif isinstance(value, float) and -_INFINITY < value < _INFINITY:
        parts.append(float.__repr__(value))
    elif isinstance(value, list | dict):
        if not depth:
            raise ValueError(
                f"session[{key!r}] is nested more than {MAX_DEPTH} levels deep, or contains itself"
            )
        if isinstance(value, list):
            _write_list(value, parts, quote, key, depth - 1)
        else:
            _write_dict(value, parts, quote, key, depth - 1)
    else:
        shown = repr(value) if isinstance(value, float) else f"a {type(value).__name__}"
        raise TypeError(
            f"session[{key!r}] holds {shown}, which is not JSON; use None, bool, int, float, str, "
            "list, or dict with str keys"
        )


def _write_list(
    items: "list[Any]", parts: list[str], quote: "Callable[[str], str]", key: str, depth: int
) -> None:
    separator = "["
    for item in items:
        parts.append(separator)
        _write(item, parts, quote, key, depth)
        separator = ","
    parts.append("]" if items else "[]")


def _write_dict(
    items: "dict[Any, Any]", parts: list[str], quote: "Callable[[str], str]", key: str, depth: int
) -> None:
    separator = "{"
    for name, item in items.items():
        if not isinstance(name, str):
            raise TypeError(
                f"session[{key!r}] holds a dict with the key {name!r}; keys in JSON must be str"
            )
        parts.append(f"{separator}{quote(name)}:")
        _write(item, parts, quote, key, depth)
        separator = ","
    parts.append("}" if items else "{}")


class _Context:
    """The attributes that json's scanner in C reads from its decoder."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_int = int

    @staticmethod
    def parse_float(text: str) -> float:
        value = float(text)
        if not -_INFINITY < value < _INFINITY:  # 1e999 is infinite, and could not be written again
            raise ValueError(f"{text[:20]} is too large")
        return value

    @staticmethod
    def parse_constant(name: str) -> object:
        raise ValueError(f"{name} is not JSON")


def _parse(raw: bytes) -> object:
    try:
        text = raw.decode("utf-8")
        value, end = _scanner()(text, 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep") from None
    if text[end:].strip():
        raise ValueError("not JSON: there is data after the value")
    # Brackets in strings count too, so this only tells whether the depth has to be checked.
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH + 2:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return value


def _scanner() -> "Callable[[str, int], tuple[object, int]]":
    try:
        from _json import make_scanner

        return make_scanner(_Context)  # type: ignore[arg-type]  # it reads attributes only
    except (ImportError, AttributeError, TypeError):  # another Python may need more attributes
        from json import JSONDecoder

        context = _Context
        return JSONDecoder(
            parse_float=context.parse_float, parse_constant=context.parse_constant
        ).raw_decode


def _depth(value: object) -> int:
    """Return how many levels deep a value is nested, without recursion: it may be too deep for that."""
    depth, level = 0, [value]
    while level:
        children: list[object] = []
        for item in level:
            if isinstance(item, dict):
                children += item.values()
            elif isinstance(item, list):
                children += item
        depth += any(isinstance(item, dict | list) for item in level)
        level = children
    return depth


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is not a number")
    try:
        number = float(value)
    except OverflowError:  # the integer is too large for a float: JSON sets no limit
        number = _INFINITY
    if not -_INFINITY < number < _INFINITY:
        raise ValueError(f"{name} is not a valid time")
    return number
