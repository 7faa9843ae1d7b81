"""Every page that the examples and cgikit itself send: valid HTML, and readable by everybody.

The Nu Html Checker reads each page as it was sent; axe looks at it as a phone in the light scheme
shows it, and as a desktop in the dark one. A new example must be added to the table.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gallery.style
import pytest
from servers.interpreter import ROOT
from serving import Server, serve

from cgikit import starters
from cgikit.host.page import appendix, error_page
from cgikit.host.problem import Problem
from cgikit.tracing.html import page
from cgikit.tracing.measure import measure

from .checkers import DESKTOP, PHONE, axe_faults, html_faults, overflow, screen, source
from .chromium import Browser

EXAMPLES = ROOT / "examples" / "cgi-bin"
PORTS = ROOT / "examples" / "from-perl"
LONG = "a-name-without-an-end-" * 12

#: Scripts that fail, each in its own way: what they get is a page of cgikit's.
FAILING = {
    "crash.py": "def show(request):\n    found = {'a': 1}\n    return found[request.script_name]\n",
    "hidden.py": "def show(request):\n    1 / 0\n",
    "large.py": "def show(request):\n    return request.query['a']\n",
    "refuses.py": f"def show(request):\n    raise HTTPError(404, 'There is no {LONG}.')\n",
}
#: A script that shows what it was sent.
INSPECTS = f"""\
def show(request):
    page = "<!DOCTYPE html><html lang='en'><head><title>Request</title>"
    page += "<meta name='viewport' content='width=device-width'></head><body><main><h1>Request</h1>"
    page += "<form method='post' enctype='multipart/form-data'>"
    page += "<label>Name <input name='{LONG}'></label>"
    page += "<label>File <input type='file' name='file'></label><button>Send</button></form>"
    return page + request.inspect(values=bool(request.query)) + "</main></body></html>"
"""
RUNS = {"hidden.py": "run(show, debug=False)", "large.py": "run(show, limits=Limits(query=1))"}


class Visitor:
    """Somebody with a browser, on the site of the tests."""

    def __init__(self, browser: Browser, server: Server, directory: Path) -> None:
        self.browser = browser
        self.server = server
        self.directory = directory

    def opens(self, path: str) -> None:
        self.browser.open(self.server.url + path)

    def reads(self, page: bytes) -> None:
        """Open a page that no server of this machine sends to us."""
        path = self.directory / "page.html"
        path.write_bytes(page)
        self.browser.open(path.as_uri())


def at(path: str) -> Callable[[Visitor], None]:
    return lambda visitor: visitor.opens(path)


def uploaded(visitor: Visitor) -> None:
    file = visitor.directory / f"{LONG[:200]}.txt"
    file.write_text("content")
    visitor.opens("upload.py")
    visitor.browser.fill("form", file=str(file))
    visitor.browser.submit("form")


def uploaded_wrongly(visitor: Visitor) -> None:
    file = visitor.directory / f"{LONG[:200]}.txt"
    file.write_text("no picture")
    visitor.opens(begun("upload"))
    visitor.browser.fill("form", picture=str(file))
    visitor.browser.submit("form")


def begun(kind: str) -> str:
    """The path of a script that `cgikit new` made."""
    return f"new/my-{kind}/cgi-bin/my-{kind}.py"


def filled(visitor: Visitor) -> None:
    file = visitor.directory / f"{LONG[:200]}.txt"
    file.write_text("content")
    visitor.opens("form.py")
    visitor.browser.fill("#multipart", name=LONG, file=str(file))
    visitor.browser.submit("#multipart")


def logged_out(visitor: Visitor) -> None:
    visitor.opens("login.py")
    visitor.browser.driver.delete_all_cookies()
    visitor.opens("login.py")


def logged_in(visitor: Visitor) -> None:
    logged_out(visitor)
    visitor.browser.fill("form", name="ada", password="lovelace")
    visitor.browser.submit("form")


def sent(path: str, form: str = "form", **values: str) -> Callable[[Visitor], None]:
    """A form that was filled in and sent."""

    def visit(visitor: Visitor) -> None:
        visitor.opens(path)
        visitor.browser.fill(form, **values)
        visitor.browser.submit(form)

    return visit


def signs_up_wrongly(visitor: Visitor) -> None:
    visitor.opens("signup.py")
    visitor.browser.fill("form", name=LONG, email=LONG, people="77")
    visitor.browser.submit("form")


def signed_up(visitor: Visitor) -> None:
    visitor.opens("signup.py")
    visitor.browser.fill("form", name=LONG[:60], email="ada@example.org", password=LONG[:20])
    for chosen in ("[name=meal] [value=Dumplings]", "[name=terms]", "[value=sat]"):
        visitor.browser.driver.find_element("css selector", chosen).click()
    visitor.browser.submit("form")


def coloured(colour: str) -> Callable[[Visitor], None]:
    def visit(visitor: Visitor) -> None:
        visitor.opens("cookies.py")
        visitor.browser.driver.add_cookie({"name": "colour", "value": colour})
        visitor.opens("cookies.py")

    return visit


def of_a_visitor(visitor: Visitor) -> None:
    problem = Problem(413, "body=1073741824", "Raise --body.", evidence="line 1: x")
    visitor.reads(error_page(problem, details=False))


def inspected(visitor: Visitor) -> None:
    file = visitor.directory / f"{LONG[:200]}.txt"
    file.write_text("content")
    visitor.opens(f"inspects.py/{LONG}?{LONG}={LONG}")
    visitor.browser.fill("form", **{LONG: LONG, "file": str(file)})
    visitor.browser.submit("form")


def recorded(page: str) -> Callable[[Visitor], None]:
    """A page of the inspector about a form that was just sent; "" is its list."""

    def visit(visitor: Visitor) -> None:
        inspected(visitor)
        visitor.opens("quiet.sh")
        visitor.opens("_cgikit/")
        if page:
            rows = visitor.browser.driver.find_elements("css selector", ".rows a")
            number = next(row.get_attribute("href") for row in rows if "POST" in row.text)
            visitor.opens(f"_cgikit/{str(number).rpartition('/')[2]}{page}")

    return visit


def traced(name: str) -> Callable[[Visitor], None]:
    """The page of a trace, with its tables open."""

    def visit(visitor: Visitor) -> None:
        variables = {"REQUEST_METHOD": "POST", "PATH": os.environ["PATH"], LONG: LONG}
        script = visitor.directory / "scripts" / name
        runs = [measure(str(script), variables, LONG.encode()) for _ in range(2)]
        visitor.reads(page(runs).replace("<details>", "<details open>").encode())

    return visit


#: By name: how to come to the page.
PAGES: dict[str, Callable[[Visitor], None]] = {
    "clock": at("clock.py"),
    "cookies": at("cookies.py"),
    "cookies-paper": coloured("paper"),
    "cookies-sky": coloured("sky"),
    "cookies-mint": coloured("mint"),
    "cookies-rose": coloured("rose"),
    "environment": at(f"environment.py/{LONG}?{LONG}"),
    "form": at("form.py"),
    "form-filled": filled,
    "hello": at(f"hello.py?name={LONG}"),
    "hits": at("hits.py?digits=12"),
    "login": logged_out,
    "login-in": logged_in,
    "progress": at("progress.py?pause=0"),
    "redirect": at("redirect.py"),
    "signup": at("signup.py"),
    "signup-wrong": signs_up_wrongly,
    "signup-done": signed_up,
    "upload": at("upload.py"),
    "upload-done": uploaded,
    # The ports of scripts in Perl
    "ported-board": at("ported/board.py"),
    "ported-board-message": at("ported/board.py?read=2"),
    "ported-cart": sent("ported/cart.py"),
    "ported-counter": at("ported/counter.py?digits=12"),
    "ported-formmail": sent("ported/formmail.py", name=LONG, email="a@b.org", message=" "),
    "ported-guestbook": sent("ported/guestbook.py", name=LONG[:60], text=" "),
    "ported-login": sent("ported/login.py", name=LONG, password="wrong"),
    "ported-poll": at("ported/poll.py"),
    "ported-search": at(f"ported/search.py?words=a+{LONG}&match=any"),
    "ported-upload": sent("ported/upload.py", name=LONG[:40]),
    # Of cgikit: its error pages, the page of a bug for its owner and for visitors
    "error-crash": at(f"crash.py/{LONG}?a={LONG}"),
    "error-crash-for-visitors": at("hidden.py"),
    "error-limit": at(f"large.py?a={LONG}"),
    "error-raised": at("refuses.py"),
    "error-field": at("hits.py?digits=many"),
    "error-redirect": at("redirect.py?to=https://example.org/"),
    "inspect": at("inspects.py"),
    "inspect-values": inspected,
    # Of `cgikit serve`: the listings, and its errors for the owner and for visitors
    "listing": at(""),
    "listing-below": at("below/"),
    "host-nothing": at("nothing.py"),
    "host-bare": at("bare.py"),
    "host-quiet": at("quiet.sh"),
    "host-for-visitors": of_a_visitor,
    # Of its inspector
    "inspector-list": recorded(""),
    "inspector-request": recorded("?"),
    "inspector-edit": recorded("/edit"),
    "inspector-nothing": at("_cgikit/0"),
    # What `cgikit new` makes
    "new-page": at(f"{begun('page')}?name={LONG}"),
    "new-form": at(begun("form")),
    "new-form-wrong": sent(begun("form"), name=LONG[:60], email=LONG, message=" "),
    "new-form-sent": sent(begun("form"), name=LONG[:60], email="a@b.example", message=LONG),
    "new-upload-wrong": uploaded_wrongly,
    "new-counter": at(begun("counter")),
    "new-login": sent(begun("login"), name=LONG, password="wrong"),
    # Of `cgikit trace`
    "trace": traced("hello.py"),
    "trace-quiet": traced("quiet.sh"),
}

#: Examples that send no page.
NO_PAGES = {"api", "push"}


@pytest.fixture(scope="module")
def visitor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A visitor of the examples, and of scripts that fail."""
    directory = tmp_path_factory.mktemp("pages")
    scripts = directory / "scripts"
    shutil.copytree(EXAMPLES, scripts, ignore=shutil.ignore_patterns("data", "__pycache__"))
    for name, code in {**FAILING, "inspects.py": INSPECTS}.items():
        head = "#!/usr/bin/env python3\nfrom cgikit import HTTPError, Limits, run\n\n"
        (scripts / name).write_text(f"{head}{code}\n{RUNS.get(name, 'run(show)')}\n")
    (scripts / "quiet.sh").write_text(f"#!/bin/sh\necho {LONG} >&2; exit 3\n")
    (scripts / "below").mkdir()
    (scripts / "below" / f"{LONG[:200]}.py").write_text("#!/bin/sh\n# A comment\n")
    for script in scripts.rglob("*.*"):
        script.chmod(0o755)
    (scripts / "below" / "off.py").write_text("#!/bin/sh\n")
    (scripts / "bare.py").write_text("print('Hello')\n")
    (scripts / "new").mkdir()
    for kind in starters.KINDS:
        starters.make(str(scripts / "new" / f"my-{kind}"), kind, sys.executable)
    (scripts / "data").mkdir()
    set_up_ports(scripts / "ported")
    with serve(scripts, environment={"CGIKIT_DEBUG": "1"}) as server:
        yield Visitor(browser, server, directory)


def set_up_ports(directory: Path) -> None:
    """The ports of scripts in Perl, with something in each file that they keep."""
    shutil.copytree(PORTS, directory, ignore=shutil.ignore_patterns("data", "__pycache__"))
    for name in ("board", "pictures"):
        (directory / "data" / name).mkdir(parents=True)
    for parent, number in (("", "1"), ("1", "2")):
        head = f"parent: {parent}\nname: {LONG}\nsubject: {LONG}\ntime: 1000000000\n\n"
        (directory / "data" / "board" / f"{number}.txt").write_text(head + LONG)
    entry = f"1000000000\t{LONG}\thttps://example.org/\t{LONG}\n"
    (directory / "data" / "guestbook.txt").write_text(entry)
    (directory / "data" / "users.txt").write_text("ada:pepper:0\n")
    (directory / "data" / "pictures" / f"{LONG[:200]}.png").write_bytes(b"\x89PNG")
    (directory / "docs" / "long.html").write_text(f"<title>{LONG}</title>{LONG}")


def test_every_example_is_in_the_table() -> None:
    # Those of the gallery are in tests/gallery/scenes.
    names = {path.stem for path in EXAMPLES.glob("*.py")} - set(gallery.style.names())
    assert {n.split("-")[1] for n in PAGES if "ported" in n} >= {
        path.stem for path in PORTS.glob("*.py")
    } - NO_PAGES
    assert {name.partition("-")[0] for name in PAGES} >= names - NO_PAGES
    begun = {name.split("-")[1] for name in PAGES if name.startswith("new-")}
    assert begun == set(starters.KINDS) - NO_PAGES


def test_every_page_is_valid_html(visitor: Visitor, tmp_path: Path) -> None:
    sources = {}
    for name, visit in PAGES.items():
        visit(visitor)
        sources[name] = source(visitor.browser)
    faults = html_faults(sources, tmp_path)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_every_page(visitor: Visitor, name: str) -> None:
    PAGES[name](visitor)
    for size in (PHONE, DESKTOP):
        with screen(visitor.browser, *size):
            assert axe_faults(visitor.browser) == []
            assert overflow(visitor.browser) == 0


@pytest.mark.parametrize(
    "begun",
    [
        "<p><b>Rows",
        "<p><b><b>Rows",
        "<p><i><a href=/>Rows",
        "<table><tr><td>Rows",
        '<p>Rows <a title="x',
        "<p>Rows <a title='x",
        "<p>Rows <a title=x",
        "<p>Rows <!-- x",
        "<p>Rows <script>var x = '<!-- <b>",
        "<style>p { color: red",
        "<p>Rows <textarea>",
        "<p>Rows <select><option>",
        "<p>Rows <svg><text>",
    ],
)
def test_what_stands_behind_a_part_of_a_page_fits_a_phone(visitor: Visitor, begun: str) -> None:
    """It was clipped on the right, and bold from a <b> that the script had left open."""
    head = '<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width">'
    box = appendix(f"{LONG}.py failed.", "text/html", [f"KeyError: {LONG}"])
    visitor.reads(f"{head}{begun}".encode() + box)
    with screen(visitor.browser, *PHONE):
        assert overflow(visitor.browser) == 0
        style = visitor.browser.driver.execute_script(
            "const log = document.querySelector('[role=alert] pre'), style = getComputedStyle(log);"
            "return [style.fontWeight, style.fontStyle, log.closest('a, table') === null,"
            " log.scrollWidth <= log.clientWidth]"
        )
        assert style == ["400", "normal", True, True]


def test_the_checkers_find_what_is_wrong(visitor: Visitor, tmp_path: Path) -> None:
    """Pages that the examples once were: without them, silence would prove nothing."""
    page = '<p id="a">You are visitor number <b id="a">7</b></p><input style="width: 1000px">'
    visitor.reads(page.encode())
    said = html_faults({"old": source(visitor.browser)}, tmp_path)
    assert any("doctype" in fault for fault in said)
    assert any("Duplicate ID" in fault for fault in said)
    with screen(visitor.browser, *PHONE):
        visitor.reads(page.encode())
        found = {fault.partition(":")[0] for fault in axe_faults(visitor.browser)}
        assert {"document-title", "html-has-lang", "label"} <= found
        assert overflow(visitor.browser) > 0
