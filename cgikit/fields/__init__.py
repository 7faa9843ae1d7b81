"""Form fields that remember: each function returns the HTML of one field, filled with what was sent.

Implements the form controls of the HTML standard (WHATWG, section 4.10) as plain functions, without a
template language. Each module is imported when one of its functions is used for the first time.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .choices import checkboxes as checkboxes
    from .choices import radios as radios
    from .choices import select as select
    from .forms import form as form
    from .inputs import button as button
    from .inputs import checkbox as checkbox
    from .inputs import file as file
    from .inputs import hidden as hidden
    from .inputs import password as password
    from .inputs import text as text
    from .inputs import textarea as textarea

_MODULE_OF = {
    "button": "inputs",
    "checkbox": "inputs",
    "checkboxes": "choices",
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
    "button",
    "checkbox",
    "checkboxes",
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
