"""Signed values: text that a visitor can read, keep and send back, but not change.

HMAC (RFC 2104) with SHA-256 over the purpose of the value, the time and the value. A signature hides
nothing, and does not prevent replay: an old value can be sent again until it expires. Cookies are
signed by `Response.set_cookie` and checked by `request.cookies.signed`. Pure: the caller gives the
time.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    #: One key, or several: the first signs, all are accepted
    Keys = str | bytes | Iterable[str | bytes]

_VERSION = "1"  # of the format: "1.TIME.SIGNATURE.VALUE"
_CONTEXT = b"cgikit.signing 1"
_LEAST = 32  # bytes of a key; as long as the hash, as RFC 2104 section 3 recommends
_BLOCK = 64  # bytes; the block size of SHA-256
_SKEW = 60  # seconds by which the clocks of several machines may differ


def sign(purpose: str, value: str, secret_keys: "Keys", now: float) -> str:
    """Return `value` with its signature and the time `now` (seconds since the epoch).

    `purpose` is part of what is signed, but not of the result: a value that was signed for one purpose
    (a cookie's name) is not valid for another. `secret_keys` is a key of 32 bytes or more (str or
    bytes), or several, of which the first signs. Raises `ValueError` for no key or one that is too
    short, and for a value that is not text; `TypeError` for a key that is neither str nor bytes. The
    inverse is `unsign`.
    """
    time = str(int(now))
    return f"{_VERSION}.{time}.{_signature(_checked(secret_keys)[0], purpose, time, value)}.{value}"


def unsign(
    purpose: str, signed: str, secret_keys: "Keys", now: float, *, max_age: int | None
) -> str | None:
    """Return the value that `sign` signed for this purpose with one of the keys; None if it was not,
    was changed, or was signed more than `max_age` seconds before `now`, or more than 60 seconds after
    it (a wrong clock).

    With `max_age=None`, a value of any age is accepted. Raises the errors of `sign` for the keys. The
    signature is compared in constant time. The inverse is `sign`.
    """
    secrets = _checked(secret_keys)
    if max_age is not None and not isinstance(max_age, int):  # a NaN would accept any age
        raise TypeError(f"max_age must be an int (seconds) or None, not {max_age!r}")
    version, _, rest = signed.partition(".")
    time, _, rest = rest.partition(".")
    signature, dot, value = rest.partition(".")
    if version != _VERSION or not dot or not (time.isascii() and time.isdigit()) or len(time) > 12:
        return None
    from _operator import _compare_digest  # what hmac.compare_digest is; hmac loads OpenSSL

    given = signature.encode("utf-8", "surrogatepass")
    try:
        expected = [_signature(secret, purpose, time, value).encode() for secret in secrets]
    except ValueError:  # a lone surrogate, which `sign` refuses
        return None
    # All keys are tried, so that the time does not tell which one was used.
    matches = [_compare_digest(given, one) for one in expected]
    age = now - int(time)
    if not any(matches) or age < -_SKEW or (max_age is not None and age > max_age):
        return None
    return value


def _signature(secret: bytes, purpose: str, time: str, value: str) -> str:
    try:
        text = f"{len(purpose)}\0{purpose}\0{time}\0{value}".encode()
    except UnicodeEncodeError:
        raise ValueError(
            "the value contains a lone surrogate, which is not text; encode it"
        ) from None
    return hmac_sha256(secret, _CONTEXT + b"\0" + text)


def _checked(secret_keys: "Keys") -> list[bytes]:
    """Return the keys as bytes."""
    if secret_keys is None:
        raise TypeError(
            "the key is None; give a str or bytes, and check that the variable with the key is set"
        )
    # The names of all variables with a key contain "secret", so that no page of an error shows them.
    given_secrets = [secret_keys] if isinstance(secret_keys, str | bytes) else list(secret_keys)
    secrets = []
    for secret in given_secrets:
        if not isinstance(secret, str | bytes):
            raise TypeError(f"a key must be a str or bytes, not {type(secret).__name__}")
        if isinstance(secret, str):
            secret = secret.encode("utf-8", "surrogateescape")
        if len(secret) < _LEAST:  # its content is not shown: the message may get into a log
            raise ValueError(
                f"a key has {len(secret)} bytes, but needs {_LEAST} or more that nobody can guess; "
                "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
            )
        secrets.append(secret)
    if not secrets:
        raise ValueError(
            "the list of keys is empty; give one key, or several, of which the first signs"
        )
    return secrets


def hmac_sha256(secret: bytes, message: bytes) -> str:
    """Return the HMAC (RFC 2104) of a message with SHA-256 (str, 64 hexadecimal digits).

    The result is that of the `hmac` module, whose import loads OpenSSL and adds a third to the start-up
    time of Python.
    """
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256  # type: ignore[import-not-found]  # not in the stubs
    except ImportError:  # this interpreter has neither
        from hashlib import sha256
    if len(secret) > _BLOCK:
        secret = sha256(secret).digest()
    padded_secret = secret.ljust(_BLOCK, b"\0")
    inner = sha256(bytes([byte ^ 0x36 for byte in padded_secret]) + message).digest()
    digest: str = sha256(bytes([byte ^ 0x5C for byte in padded_secret]) + inner).hexdigest()
    return digest
