"""The list of the last requests. Values in, markup out."""

import time
from collections.abc import Iterable

from cgikit.host.output import reason_of

from .exchange import Exchange
from .hiding import Hiding
from .markup import button, milliseconds, page, text


def list_page(exchanges: list[Exchange], token: str, limit: int) -> bytes:
    """Return the page with the list, the latest request first."""
    clear = button("/_cgikit/clear", token, "Forget them all") if exchanges else ""
    return page(
        "Requests",
        '<p class="links"><a href="/">All scripts</a><a href="/_cgikit/">Reload</a></p>'
        "<h1>Requests</h1>"
        f'<p class="soft">The last {limit}, the latest first. They are kept in memory only.</p>'
        f'<ol class="rows" id="requests" data-token="{text(token)}">{rows(exchanges)}</ol>{clear}',
        updates=True,
    )


def rows(exchanges: Iterable[Exchange]) -> str:
    """Return the items of the list."""
    items = "".join(_row(exchange) for exchange in exchanges)
    return items or '<li class="empty">No request yet. Open a script, then look here again.</li>'


def _row(exchange: Exchange) -> str:
    request = exchange.request
    hiding = Hiding(exchange)
    more = notes(exchange, hiding)
    last = f'<span class="more">{text(more)}</span>' if more else ""
    return (
        f'<li><a href="/_cgikit/{exchange.number}">'
        f'<span class="soft">{exchange.number}</span> '
        f'<span class="time soft">{clock(exchange)}</span> '
        f'<span class="what mono"><b>{text(request.method[:20])}</b> '
        f"{text(hiding.target(request.target)[:500])}</span> "
        f'<span class="status {"bad" if failed(exchange) else "ok"}">{status(exchange)}</span> '
        f'<span class="took">{took(exchange)}</span>{last}</a></li>'
    )


def clock(exchange: Exchange) -> str:
    """Return the time of day at which a request came."""
    return time.strftime("%H:%M:%S", time.localtime(exchange.clock))


def status(exchange: Exchange) -> str:
    """Return the status of the answer with its reason."""
    if not exchange.status:
        return "ended" if exchange.ended else "runs"
    return f"{exchange.status} {reason_of(exchange.status)}"


def failed(exchange: Exchange) -> bool:
    """Whether the answer is an error, or a script has failed."""
    return exchange.status >= 400 or any(run.status for run in exchange.runs)


def took(exchange: Exchange) -> str:
    """Return how long a request took."""
    return "…" if exchange.ended is None else milliseconds(exchange.ended - exchange.began)


def notes(exchange: Exchange, hiding: Hiding) -> str:
    """Return what is special about a request, without what `hiding` knows to be secret."""
    found = []
    if exchange.replay_of:
        found.append(f"replay of {exchange.replay_of}")
    if exchange.is_background:
        found.append("background call")
    if len(exchange.runs) > 1:
        found.append(f"{len(exchange.runs) - 1} local redirect{'s' * (len(exchange.runs) > 2)}")
    if exchange.leads_to:
        found.append(f"redirects to {hiding.target(exchange.leads_to)[:200]}")
    for run in exchange.runs:
        if run.status:
            found.append(
                f"killed by signal {-run.status}" if run.status < 0 else f"exit status {run.status}"
            )
    if any(run.stderr.length for run in exchange.runs):
        found.append("standard error")
    return " · ".join(found)
