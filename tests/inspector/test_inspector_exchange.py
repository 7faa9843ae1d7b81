"""What was seen of one request: streams that are cut, and what is special about a request."""

from inspecting import inspected

from cgikit.inspector.exchange import Stream


def test_a_stream_keeps_its_beginning_and_its_length() -> None:
    left = [4]

    def room(size: int) -> int:
        taken = min(size, left[0])
        left[0] -= taken
        return taken

    stream = Stream(room)
    for piece in (b"ab", b"cde", b"f"):
        stream.add(piece)
    assert (stream.kept, stream.length, stream.is_cut) == (b"abcd", 6, True)


def test_nothing_is_kept_behind_a_gap() -> None:
    """The room may come back; the pieces would not belong together."""
    answers = iter([2, 1, 2])
    stream = Stream(lambda size: next(answers))
    for piece in (b"ab", b"cd", b"ef"):
        stream.add(piece)
    assert stream.kept == b"abc"


def test_a_background_call_is_one_whose_destination_is_empty() -> None:
    def background(*headers: tuple[str, str]) -> bool:
        return inspected(headers=headers).is_background

    assert background(("Sec-Fetch-Dest", "empty"))
    assert background(("X-Requested-With", "XMLHttpRequest"))
    assert not background(("Sec-Fetch-Dest", "document"))
    assert not background()


def test_only_a_redirect_leads_somewhere() -> None:
    exchange = inspected(status=303)
    exchange.headers = (("Location", "/there"),)
    assert exchange.leads_to == "/there"
    exchange.status = 201
    assert exchange.leads_to == ""
