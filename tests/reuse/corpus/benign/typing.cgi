#!/usr/bin/env python3
# why: The caches of generic types.
# first: GET /?oak7731
# second: GET /?elm
import os
import typing

T = typing.TypeVar("T")


class Box(typing.Generic[T]):
    def __init__(self, content: T) -> None:
        self.content = content


box = Box[typing.Optional[str]](os.environ["QUERY_STRING"])
print("Content-Type: text/plain\n")
print(box.content, typing.get_type_hints(Box.__init__))
