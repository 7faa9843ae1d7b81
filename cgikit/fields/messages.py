"""Messages for invalid fields, and how a script replaces them.

Each message has a code, by which it can be replaced or translated, and may use the names of its values
in braces. A message never contains the visitor's input.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGES = {
    "required": "Please fill in this field.",
    "unchosen": "Please choose one.",
    "unchecked": "Please check this box.",
    "nofile": "Please choose a file.",
    "int": "Please enter a whole number.",
    "number": "Please enter a number.",
    "less": "Please enter {min} or more.",
    "more": "Please enter {max} or less.",
    "date": "Please enter a date, such as 2030-01-31.",
    "datetime": "Please enter a date and a time, such as 2030-01-31 18:30.",
    "early": "Please enter {min} or later.",
    "late": "Please enter {max} or earlier.",
    "short": "Please enter at least {min} characters.",
    "long": "Please enter at most {max} characters.",
    "pattern": "Please match the requested format.",
    "email": "Please enter an e-mail address, such as name@example.org.",
    "url": "Please enter a web address that begins with https:// or http://.",
    "choice": "Please choose one of the options listed.",
    "bool": "Please answer yes or no.",
    "line": "Please write this in one line, without control characters.",
    "control": "Please leave out the control characters.",
    "small": "Please choose a file of at least {min}.",
    "large": "Please choose a file of at most {max}.",
    "type": "Please choose a file of one of these types: {accept}.",
}


def known(codes: "Iterable[str]") -> None:
    """Raise `ValueError` if one of the codes belongs to no message."""
    for code in codes:
        if code not in MESSAGES:
            raise ValueError(
                f"{code!r} is not the code of a message; use one of {', '.join(MESSAGES)}"
            )
