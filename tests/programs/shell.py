"""Scripts of the shell, as many sites have them: an upload by cat, a guest book, a log that grows."""

import random

from .site import Program, Site
from .visit import Visit

UPLOAD = """#!/bin/sh
echo "Content-Type: text/plain"
echo
cat > {state}/uploaded
wc -c < {state}/uploaded
"""

BOOK = r"""#!/bin/bash
# Each line of the book is one entry; the newest is shown first.
book={state}/book
urldecode() { local text="${1//+/ }"; printf '%b' "${text//%/\\x}"; }
escape() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
if [ "$REQUEST_METHOD" = POST ]; then
    read -r -N "$CONTENT_LENGTH" body
    IFS='&' read -r -a fields <<< "$body"
    for field in "${fields[@]}"; do
        [ "${field%%=*}" = text ] && urldecode "${field#*=}" | tr '\n' ' ' >> "$book" && echo >> "$book"
    done
    printf 'Status: 303 See Other\r\nLocation: http://%s%s\r\n\r\n' "$HTTP_HOST" "$SCRIPT_NAME"
    exit
fi
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
echo "<ol>"
[ -e "$book" ] && tac "$book" | escape | sed 's/.*/<li>&<\/li>/'
echo "</ol>"
"""


def install(site: Site) -> None:
    """Two scripts, and what is sent to the first."""
    site.script("upload.sh", UPLOAD.replace("{state}", str(site.state)))
    site.script("book.sh", BOOK.replace("{state}", str(site.state)))
    site.keep("shell.bin", random.Random(8).randbytes(2_000_000))


def visit(to: Visit) -> None:
    """What is written is there afterwards."""
    sent = to.site.state / "shell.bin"
    to.ask("upload", "upload.sh", "--data-binary", f"@{sent}", has="2000000")
    to.note("upload is whole", (to.site.state / "uploaded").read_bytes() == sent.read_bytes())
    to.ask("empty book", "book.sh", has="<ol>")
    to.ask("write", "book.sh", "--data", "name=Ada&text=Gr%C3%BC%C3%9Fe+%3Cb%3E", status=303)
    to.ask("write and read", "book.sh", "--location", "--data", "text=two", has="<li>two")
    to.ask("book", "book.sh", has="Grüße &lt;b&gt;")
    to.ask("head", "book.sh", "--head")
    to.ask("missing", "none.sh", status=404)


PROGRAM = Program("shell", ("bash", "tac"), install, visit)
