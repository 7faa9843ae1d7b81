"""The errors of a form: its messages, and what the functions for fields need to show it again.

`check` makes them. When the form has to be shown is decided here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..request import Request
    from .declared import Field


class Errors(dict[str, str]):
    """The messages of a form by the names of its fields, and what is needed to show it again.

    It is true as long as the form has to be shown: before it was sent (`.sent` is False, and there are
    no messages), and as long as there is a message. `errors[name] = "…"` adds a message of the script's
    own. `.request` is the request, `.declared` the declarations by name.
    """

    def __init__(self, request: "Request", declared: "Mapping[str, Field]", sent: bool) -> None:
        super().__init__()
        self.request = request
        self.declared = declared
        self.sent = sent
        #: Which of several fields of one name has the message: its position.
        self.positions: dict[str, int] = {}

    def __bool__(self) -> bool:
        return not self.sent or len(self) > 0
