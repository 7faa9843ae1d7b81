"""The module `cgitb` that Python 3.13 removed: a page, or a text, for an uncaught error.

This is a new implementation; docs/from/differences.md lists the differences. It is small, so scripts
that enable it and do not fail pay almost nothing. `tracebackpage.py` makes the page, and
`cgikit.masking` decides what it may show of a value.
"""

import os
import sys

from cgikit.compat.printed import missing, watch

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

_HEADER = "Content-Type: text/{}; charset=utf-8"


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
    """Return what precedes the page (str): a header, if the script has printed none, and markup that
    closes whatever the script was printing.
    """
    return _before_page(sys.stdout)


def _before_page(file: "Any") -> str:
    from cgikit.appendix import CLOSERS

    return f"{missing(file, _HEADER.format('html'))}{CLOSERS}\n"


def html(einfo: "Any", context: int = 5) -> str:
    """Return an error as a piece of a page (str). `einfo` is what `sys.exc_info` returns, `context` the
    number of source lines shown for each frame. Values that look like secrets are hidden.
    """
    from cgikit.compat import tracebackpage

    return tracebackpage.html(einfo, context)


def text(einfo: "Any", context: int = 5) -> str:
    """Return the same as plain text (str)."""
    from cgikit.compat import tracebackpage

    return tracebackpage.text(einfo, context)


class Hook:
    """The replacement for `sys.excepthook` that `enable` installs; the arguments are those of `enable`.
    `file` is written to instead of standard output.
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
        self._own = bool(file)
        self.format = format
        watch(self.file)

    def __call__(self, etype: "Any", evalue: "Any", etb: "Any") -> None:
        """Handle an error, as `sys.excepthook` does."""
        self.handle((etype, evalue, etb))

    def handle(self, info: "Any" = None) -> None:
        """Write the page for an error; without an argument, for the one that is being handled."""
        info = info or sys.exc_info()
        is_html = self.format == "html"
        page = self._page(info, is_html)
        lines = [page] if self.display else [self._line("A problem occurred in a Python script.")]
        if self.logdir is not None:
            lines.append(self._line(self._keep(page, is_html, info)))
        elif not self.display:
            self._log(info)  # otherwise the error would be lost
        self._write("\n".join(lines) + "\n", is_html)

    def _page(self, info: "Any", is_html: bool) -> str:
        try:
            page = html(info, self.context) if is_html else text(info, self.context)
        except Exception:  # caused by the script's own objects or sources
            import traceback

            from cgikit.html import escape
            from cgikit.masking import masked_source

            page = masked_source("".join(traceback.format_exception(*info)))
            page = f"<pre>{escape(page)}</pre>" if is_html else page
        if is_html:
            return page.encode("ascii", "xmlcharrefreplace").decode()
        return page.encode("ascii", "backslashreplace").decode()

    def _begin(self, file: "Any", is_html: bool) -> str:
        if is_html:
            return _before_page(file)
        # A header is of no use on a terminal
        under_cgi = "REQUEST_METHOD" in os.environ and file is sys.stdout
        return missing(file, _HEADER.format("plain")) if under_cgi else ""

    def _line(self, message: str) -> str:
        return f"<p>{message}</p>" if self.format == "html" else message

    def _keep(self, page: str, is_html: bool, info: "Any") -> str:
        """Write the page into a file in `logdir`; return a line that names the file without its
        directory. If it cannot be written, the error goes to the log: it would be lost.
        """
        try:
            path = _kept(page, ".html" if is_html else ".txt", self.logdir)
        except OSError as error:
            self._tell(f"cgitb: cannot write to {self.logdir}: {error.strerror}")
            self._log(info)
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

    def _write(self, answer: str, is_html: bool) -> None:
        try:
            file = self._output()
            file.write(self._begin(file, is_html) + answer)
            file.flush()
        except (AttributeError, OSError, ValueError) as error:
            self._tell(f"cgitb: cannot write the error page: {type(error).__name__}")

    def _output(self) -> "Any":
        """Return the file to write to. A script may have put another in the place of standard output,
        whose text comes first, and may have detached the one that was there.
        """
        if self._own or self.file is sys.stdout:
            return self.file
        try:
            sys.stdout.flush()
            self.file.writable()
        except (AttributeError, OSError, ValueError):
            return sys.stdout
        return self.file


def _kept(page: str, suffix: str, directory: "Any") -> str:
    """Write a page into a new file of a directory, whole or not at all; return its path."""
    import tempfile

    descriptor, path = tempfile.mkstemp(suffix=suffix, dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(page)
    except OSError:  # the disk is full
        os.unlink(path)
        raise
    return str(path)


handler = Hook().handle


def enable(
    display: object = 1, logdir: "Any" = None, context: int = 5, format: str = "html"
) -> None:
    """Show uncaught errors: on the page, unless `display` is false; in files in the directory `logdir`,
    if it is given. `format` is "html"; anything else means text.
    """
    sys.excepthook = Hook(display=display, logdir=logdir, context=context, format=format)
