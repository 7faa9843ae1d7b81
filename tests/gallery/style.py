"""The style sheet of the gallery in its scripts: `make gallery` puts it there, a test compares it.

A script of the gallery is a single file that can be copied. So it has the style inside, between two
lines of comment, as a constant. The source of it is examples/style.css.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "examples" / "cgi-bin"
SHEET = ROOT / "examples" / "style.css"

BEGIN = "# --- the style: examples/style.css, put here by `make gallery` ---"
END = "# --- the end of the style ---"
_STYLE = re.compile(f"^{re.escape(BEGIN)}$.*?^{re.escape(END)}$", re.M | re.S)

#: What the docstring of each script of the gallery says, each in a paragraph that begins so.
SAYS = ("The classic:", "Its holes:", "This one:")


def names() -> list[str]:
    """The scripts of the gallery, by name: those that have the style."""
    return sorted(p.stem for p in SCRIPTS.glob("*.py") if f"\n{BEGIN}\n" in p.read_text())


def with_style(source: str) -> str:
    """The source of a script with the style sheet as it is now."""
    sheet = SHEET.read_text().strip()
    return _STYLE.sub(lambda _: f'{BEGIN}\nSTYLE = """\n{sheet}\n"""\n{END}', source)


def docstring(name: str) -> tuple[str, dict[str, str]]:
    """What a script says of itself: the first sentence, and the paragraphs of `SAYS`."""
    text = ast.get_docstring(ast.parse((SCRIPTS / f"{name}.py").read_text())) or ""
    first, *others = [" ".join(part.split()) for part in text.split("\n\n")]
    said = {}
    for other in others:
        for label in SAYS:
            if other.startswith(label):
                said[label] = other.removeprefix(label).strip()
    return first, said


def put() -> None:
    """Put the style into all scripts of the gallery."""
    for name in names():
        path = SCRIPTS / f"{name}.py"
        old = path.read_text()
        new = with_style(old)
        if new != old:
            path.write_text(new)
            print(f"examples/cgi-bin/{path.name}: the style is new")


if __name__ == "__main__":
    put()
