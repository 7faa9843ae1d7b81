"""Form fields that remember what was sent (sticky fields), and the check of a whole form.

Each function returns the HTML of one field, filled with what was sent.
Implements the form controls of the HTML standard (WHATWG, section 4.10) as plain functions, without a
template language. Each module is imported when one of its functions is used for the first time.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .checking import check as check
    from .choices import checkboxes as checkboxes
    from .choices import radios as radios
    from .choices import select as select
    from .declared import Field as Field
    from .declared import declare as declare
    from .faults import Errors as Errors
    from .forms import button as button
    from .forms import form as form
    from .inputs import checkbox as checkbox
    from .inputs import file as file
    from .inputs import hidden as hidden
    from .inputs import password as password
    from .inputs import text as text
    from .inputs import textarea as textarea

_MODULE_OF = {
    "Errors": "faults",
    "Field": "declared",
    "button": "forms",
    "check": "checking",
    "checkbox": "inputs",
    "checkboxes": "choices",
    "declare": "declared",
    "file": "inputs",
    "form": "forms",
    "hidden": "inputs",
    "password": "inputs",
    "radios": "choices",
    "select": "choices",
    "text": "inputs",
    "textarea": "inputs",
}

__all__ = [
    "Errors",
    "Field",
    "button",
    "check",
    "checkbox",
    "checkboxes",
    "declare",
    "file",
    "form",
    "hidden",
    "password",
    "radios",
    "select",
    "text",
    "textarea",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, and keep it (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'cgikit.fields' has no attribute {name!r}")
    value: object = getattr(__import__(f"cgikit.fields.{module}", fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_MODULE_OF))
