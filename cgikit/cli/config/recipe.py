"""A recipe: the text of one server's configuration, and the commands that go with it.

`write` puts them together. Every text begins with comments that show the commands, each under a label
(`Prepare:`, `Save:`, `Scripts:`, `Check:`, `Start:`, `Try:`). The tests of the servers run exactly
these commands.
"""

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .quoting import Unsayable, shell, words
from .site import Site

WIDTH = 92  # columns of a comment


class Recipe(NamedTuple):
    """How one server serves a site. The functions take the `Site` and return text."""

    about: str  # one line
    file: str  # the name under which the text is saved
    text: Callable[[Site], str]
    start: Callable[[Site, str], str]  # the command line that starts the server; takes the file
    check: Callable[[Site, str], str] | None = None
    gateway: str | None = None  # the protocol with which `cgikit` runs the scripts for this server
    scripts: Callable[[Site], str] | None = None  # starts a backend that is not cgikit's
    companion: tuple[str, str] | None = None  # a server whose text is needed too, and its file
    asks: bool = False  # can ask for a password, given a file of users
    linked: bool = False  # the scripts must appear in the server's directory of documents
    prefixless: bool = False  # the scripts are always at the root of the URLs
    snippet: Callable[[Site], str] | None = None  # the part for an existing site
    by_root: bool = False  # root runs it, whoever prints it
    answers: bool = True  # answers HTTP, so that there is a URL to try
    place: str = ""  # where the snippet belongs
    notes: str = ""  # paragraphs: what goes wrong, and why

    @property
    def single(self) -> bool:
        """Whether the root may be a single script, which `cgikit` then runs."""
        return bool(self.gateway) or self.file in ("serve.sh", "systemd.sh")

    @property
    def persistent(self) -> bool:
        """Whether the root may be a persistent script, which speaks FastCGI itself."""
        return self.gateway == "fastcgi" or self.file == "systemd.sh"

    @property
    def has_socket(self) -> bool:
        """Whether there is a socket between the server and the scripts."""
        return bool(self.gateway or self.scripts)


def write(recipe: Recipe, site: Site, command: Sequence[str], *, snippet: bool = False) -> str:
    """Return the whole text. `command` has the words of the command line that prints it.

    `Unsayable` if the server has no snippet, or its syntax cannot express the site.
    """
    if snippet and recipe.snippet is None:
        raise Unsayable("this server has no configuration into which a part could be pasted")
    body = recipe.snippet(site) if snippet and recipe.snippet else recipe.text(site)
    steps = list(_snippet_steps(recipe, site) if snippet else _steps(recipe, site, command))
    about = recipe.about.replace(*_STAYS) if site.persistent else recipe.about
    lines = [*_paragraph(about), "#", *_listed(steps)]
    if steps[-1][0] in {"Scripts", "Start", "Try"} and not recipe.by_root:
        lines += ["#", *_paragraph(_FOREGROUND)]
    notes = [textwrap.dedent(recipe.notes).strip()]
    if recipe.answers and not snippet and not (site.single or site.script):
        notes.insert(0, _NONE_YET)
    if recipe.gateway:
        notes.insert(0, _permission(site))
    if site.persistent:
        notes.append(_PERSISTENT)
    for note in "\n\n".join(notes).strip().split("\n\n"):
        if note:
            lines += ["#", *_paragraph(" ".join(note.split()))]
    shebang, _, rest = body.partition("\n") if body.startswith("#!") else ("", "", body)
    head = [shebang] if shebang else []
    return "\n".join([*head, *lines, "", rest.lstrip("\n")])


def _steps(recipe: Recipe, site: Site, command: Sequence[str]) -> list[tuple[str, str]]:
    path = site.file(recipe.file)
    steps = [("Prepare", line) for line in site.prepare(linked=recipe.linked)]
    if recipe.companion:
        server, file = recipe.companion
        other = [server if word == site.server else word for word in command]
        steps.append(("Save", f"{words(other)} > {shell(site.file(file))}"))
    steps.append(("Save", f"{words(command)} > {shell(path)}"))
    if side := _side(recipe, site):
        steps.append(("Scripts", side))
    if recipe.check:
        steps.append(("Check", recipe.check(site, path)))
    steps.append(("Start", recipe.start(site, path)))
    if recipe.answers and (site.single or site.script):
        steps.append(("Try", f"curl {shell(site.url)}"))
    return steps


def _snippet_steps(recipe: Recipe, site: Site) -> list[tuple[str, str]]:
    steps = [("Paste", recipe.place)]
    if side := _side(recipe, site):
        steps += [("Prepare", line) for line in site.prepare(linked=recipe.linked)]
        steps.append(("Scripts", side))
    return steps


def _side(recipe: Recipe, site: Site) -> str:
    if recipe.gateway:
        return site.gateway(recipe.gateway)
    return recipe.scripts(site) if recipe.scripts else ""


def _listed(steps: list[tuple[str, str]]) -> list[str]:
    lines = []
    label = ""
    for this, text in steps:
        if this != label:
            label = this
            lines.append(f"# {label}:")
        lines.append(f"#     {text}")
    return lines


_FOREGROUND = (
    "Each command stays in the foreground and needs a terminal of its own (or systemd); Ctrl-C ends"
    " it."
)


_NONE_YET = (
    "This directory has no executable script yet, so there is no URL to try: add one and make it"
    " executable (chmod +x)."
)

#: What recipes say of cgikit fastcgi, and what they say of a persistent script instead.
_STAYS = (
    "cgikit fastcgi: scripts run warm, a process for every request.",
    "a persistent script, which stays in memory.",
)
_PERSISTENT = (
    "The script stays in memory and answers one request after another (page reference/persistent), in"
    " CGIKIT_WORKERS processes. Restart it after every edit."
)


def _permission(site: Site) -> str:
    mode = "-M" if site.persistent else "--mode"
    who = f"the same user, {site.user}," if site.user else "the same user"
    return (
        f"Only the socket's owner may connect (mode 0600), so {who} must run both the scripts and the"
        " web server's workers. If they run as different users, the server answers 502 or 503, and its"
        ' log says "Permission denied": give both users a common group, and start the scripts with'
        f" --regid=GROUP and {mode} 0660. The server must also be able to enter the directories above"
        " the socket."
    )


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
