#!/usr/bin/env python3
"""A JSON endpoint: GET tells the time, POST adds the numbers in {"numbers": [1, 2, 3]}."""

import time

from cgikit import BadRequest, HTTPError, Request, Response, run


def fits(number):
    """Tell whether this is a number that the sum can include. JSON's true and false are not."""
    return type(number) in {int, float} and abs(number) <= 10**12


def api(request: Request):
    if request.method in {"GET", "HEAD"}:
        return Response.json({"now": int(time.time()), "path": request.path_info})
    if request.method != "POST":
        raise HTTPError(405, "Send a GET or a POST.", [("Allow", "GET, HEAD, POST")])
    data = request.json()
    numbers = data.get("numbers") if isinstance(data, dict) else None
    if not isinstance(numbers, list) or not all(map(fits, numbers)):
        raise BadRequest('send {"numbers": [1, 2, 3]}, with no number above 1,000,000,000,000')
    return Response.json({"sum": sum(numbers), "count": len(numbers)})


if __name__ == "__main__":
    run(api)
