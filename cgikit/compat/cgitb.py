"""The module `cgitb` that Python 3.13 removed: a page, or a text, for an error that nobody caught.

Written anew; docs/from/differences.md lists what is not as it was. Nothing but `enable` and its kind
is here, so that scripts which enable it and do not fail pay next to nothing; the page is made in
`tracebackpage.py`, and what it may show of a value is decided in `masking.py`.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cgikit.compat.tracebackpage import grey, lookup, scanvars, small, strong

__all__ = [
    "Hook",
    "enable",
    "grey",
    "handler",
    "html",
    "lookup",
    "reset",
    "scanvars",
    "small",
    "strong",
    "text",
]

_HEADER = "Content-Type: text/{}; charset=utf-8\n\n"
# Whatever the script was printing when it failed: an attribute, a comment, a script, a table.
_CLOSING = (
    "<!-- --></style></script></title></textarea></select></object></pre></blockquote>"
    "</td></table></td></table></font></div>\n"
)


def __getattr__(name: str) -> "Any":
    if name not in ("__UNDEF__", "grey", "lookup", "scanvars", "small", "strong"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cgikit.compat import tracebackpage

    value = getattr(tracebackpage, "UNDEFINED" if name == "__UNDEF__" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})


def reset() -> str:
    """Return what goes in front of the page (str): a header field, for a script that has sent none,
    and markup that ends whatever the script was printing.
    """
    return _HEADER.format("html") + _CLOSING


def html(einfo: "Any", context: int = 5) -> str:
    """Return an error as a piece of a page (str). `einfo` is what `sys.exc_info` returns, `context` how
    many lines of source are shown of each frame. What looks like a secret is hidden.
    """
    from cgikit.compat import tracebackpage

    return tracebackpage.html(einfo, context)


def text(einfo: "Any", context: int = 5) -> str:
    """Return the same as plain text (str)."""
    from cgikit.compat import tracebackpage

    return tracebackpage.text(einfo, context)


class Hook:
    """What `enable` puts in the place of `sys.excepthook`; the arguments are those of `enable`. `file`
    is written to instead of standard output.
    """

    def __init__(
        self,
        display: object = 1,
        logdir: "Any" = None,
        context: int = 5,
        file: "Any" = None,
        format: str = "html",
    ) -> None:
        self.display = display
        self.logdir = logdir
        self.context = context
        self.file = file or sys.stdout
        self.format = format

    def __call__(self, etype: "Any", evalue: "Any", etb: "Any") -> None:
        """Be `sys.excepthook`."""
        self.handle((etype, evalue, etb))

    def handle(self, info: "Any" = None) -> None:
        """Write the page of an error: of the one that is handled just now, without an argument."""
        info = info or sys.exc_info()
        is_html = self.format == "html"
        page = self._page(info, is_html)
        lines = [page] if self.display else [self._line("A problem occurred in a Python script.")]
        if self.logdir is not None:
            lines.append(self._line(self._keep(page, is_html)))
        elif not self.display:
            self._log(info)  # or nobody would ever know
        self._write(self._begin(is_html) + "\n".join(lines) + "\n")

    def _page(self, info: "Any", is_html: bool) -> str:
        try:
            page = html(info, self.context) if is_html else text(info, self.context)
        except Exception:  # of what the script has left behind: its names, its sources
            import traceback

            from cgikit.compat.masking import masked_source
            from cgikit.html import escape

            page = masked_source("".join(traceback.format_exception(*info)))
            page = f"<pre>{escape(page)}</pre>" if is_html else page
        if is_html:
            return page.encode("ascii", "xmlcharrefreplace").decode()
        return page.encode("ascii", "backslashreplace").decode()

    def _begin(self, is_html: bool) -> str:
        if is_html:
            return reset()
        # On a terminal there is nobody who wants a header.
        under_cgi = "REQUEST_METHOD" in os.environ and self.file is sys.stdout
        return _HEADER.format("plain") if under_cgi else ""

    def _line(self, message: str) -> str:
        return f"<p>{message}</p>" if self.format == "html" else message

    def _keep(self, page: str, is_html: bool) -> str:
        """Put the page into a file of `logdir`; return a line that says so, and does not say where."""
        import tempfile

        try:
            suffix = ".html" if is_html else ".txt"
            descriptor, path = tempfile.mkstemp(suffix=suffix, dir=self.logdir)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(page)
        except OSError as error:
            from cgikit.debug import traceback_of

            self._tell(f"cgitb: cannot write to {self.logdir}: {error.strerror}")
            if error.__context__ is not None:
                self._tell(traceback_of(error.__context__))
            return "Tried to save the traceback, but failed; the reason is in the server's log."
        return f"{os.path.basename(path)} contains the description of this error."

    def _log(self, info: "Any") -> None:
        import traceback

        self._tell("".join(traceback.format_exception(*info)))

    def _tell(self, message: str) -> None:
        try:
            sys.stderr.write(message.encode("ascii", "backslashreplace").decode().rstrip() + "\n")
        except (AttributeError, OSError, ValueError):
            pass  # there is no log

    def _write(self, answer: str) -> None:
        try:
            self.file.write(answer)
            self.file.flush()
        except (AttributeError, OSError, ValueError) as error:
            self._tell(f"cgitb: cannot write the page of an error: {type(error).__name__}")


handler = Hook().handle


def enable(
    display: object = 1, logdir: "Any" = None, context: int = 5, format: str = "html"
) -> None:
    """Show errors that nobody catches: on the page, unless `display` is false; in files of the
    directory `logdir`, if it is given. `format` is "html" or anything else for text.
    """
    sys.excepthook = Hook(display=display, logdir=logdir, context=context, format=format)
