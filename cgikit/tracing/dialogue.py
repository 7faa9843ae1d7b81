"""What went into a script and what came out, as bytes (RFC 3875 sections 4 and 6). Values only."""

from collections.abc import Mapping

KEPT = 65_536  # bytes that are kept of each stream


class Dialogue:
    """The `.variables` that a script got (mapping of str to str), its `.stdin`, `.stdout` and `.stderr`
    (bytes, cut where large), the whole `.stdin_length` and `.stdout_length` (int, bytes), and its exit
    `.status` (int; negative: the number of a signal).
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        stdin: bytes = b"",
        stdin_length: int = 0,
        stdout: bytes = b"",
        stdout_length: int = 0,
        stderr: bytes = b"",
        status: int = 0,
    ) -> None:
        self.variables = variables
        self.stdin = stdin
        self.stdin_length = max(stdin_length, len(stdin))
        self.stdout = stdout
        self.stdout_length = max(stdout_length, len(stdout))
        self.stderr = stderr
        self.status = status
