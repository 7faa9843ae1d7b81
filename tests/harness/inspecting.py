"""Recorded requests made by hand, and a client for the pages of the inspector of a real server.

inspected("/x.py?a=1", stdout=b"Status: 200\\n\\n") is an `Exchange`; `Looker(server)` sends
requests with exactly the header fields that a test gives.
"""

import re
from http.client import HTTPConnection
from urllib.parse import urlencode

from serving import Server

from cgikit.host.environ import ServerRequest, http_variables
from cgikit.inspector.exchange import Exchange, Room, ScriptRun


def inspected(
    target: str = "/x.py",
    *,
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (("Host", "localhost:8000"),),
    body: bytes | None = None,
    content_type: str = "",
    stdout: bytes = b"",
    stderr: bytes = b"",
    status: int = 200,
    exit_status: int = 0,
    file: str = "/srv/cgi/x.py",
    environment: dict[str, str] | None = None,
    room: int = 65_536,
) -> Exchange:
    """A request, and one run of a script for it."""
    path, _, query = target.partition("?")
    length = None if body is None else len(body)
    request = ServerRequest(method, path, query, headers, length, content_type, server_port="8000")
    exchange = Exchange(1, request)
    exchange.status = status
    variables = {
        **http_variables(headers),
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        **(environment or {}),
    }

    def roomy() -> Room:
        left = room

        def take(size: int) -> int:
            nonlocal left
            taken = min(size, left)
            left -= taken
            return taken

        return take

    run = ScriptRun(file, variables, (), "", body is not None, roomy)
    run.started = run.began
    run.stdin.add(body or b"")
    run.stdout.add(stdout)
    run.stderr.add(stderr)
    run.ended, run.status = run.began + 0.01, exit_status
    exchange.ended = exchange.began + 0.01
    exchange.runs.append(run)
    return exchange


class Reply:
    """An answer: `status`, `headers` (lower case), `text`."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, headers, text


class Looker:
    """Somebody who asks a server, with or without the manners of a browser."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.port}"

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str | None
    ) -> Reply:
        """Send a request. `sec_fetch_site="none"` is a header field; None leaves one out."""
        fields = {name.replace("_", "-").title(): value for name, value in headers.items()}
        fields.setdefault("Host", self.host)
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in fields.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            data = answer.read().decode("utf-8", "replace")
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, data)
        finally:
            connection.close()

    def token(self) -> str:
        """The token that the list has."""
        match = re.search(r'data-token="([^"]+)"', self.ask("/_cgikit/").text)
        assert match
        return match[1]

    def press(self, path: str, /, **fields: str) -> Reply:
        """Use a button, as a browser does that shows a page of the inspector."""
        form = urlencode({"token": self.token(), **fields}).encode()
        return self.ask(
            path,
            "POST",
            form,
            content_type="application/x-www-form-urlencoded",
            origin=f"http://{self.host}",
            sec_fetch_site="same-origin",
        )

    def latest(self) -> int:
        """The number of the latest request."""
        numbers = re.findall(r'href="/_cgikit/(\d+)"', self.ask("/_cgikit/").text)
        return int(numbers[0])
