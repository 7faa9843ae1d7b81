"""debugframes: which frames are shown, which of them is the script's own, and what an error came from.

test_debugpage.py asks for all of it in a page.
"""

import json

from cgikit.debugframes import Frames, own_place, places, related


def failure() -> BaseException:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


def test_the_own_place_is_the_innermost_that_is_not_of_a_library() -> None:
    error = failure()
    own = own_place(error)
    assert own is not None
    assert own[0].f_code.co_name == "failure"
    assert len(list(places(error))) > 2
    assert own_place(KeyError("no traceback")) is None


def test_frames_are_the_innermost_first_and_one_is_open() -> None:
    error = failure()
    markup = Frames(str).of(error, own_place(error))
    assert markup.index("decoder.py") < markup.index("in failure")
    assert markup.count("<details open>") == 1


def test_what_an_error_came_from_is_bounded() -> None:
    error: BaseException = KeyError(0)
    for number in range(1, 50):
        above = KeyError(number)
        above.__context__ = error
        error = above
    assert len(list(related(error))) == 10
    group = ExceptionGroup("all", [OSError(n) for n in range(50)])
    assert len(list(related(group))) == 10
    quiet = KeyError("from none")
    quiet.__context__, quiet.__suppress_context__ = OSError("x"), True
    assert list(related(quiet)) == []
