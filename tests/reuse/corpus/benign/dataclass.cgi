#!/usr/bin/env python3
# why: A class that is made anew for each request.
# first: GET /?oak7731
# second: GET /?elm
import dataclasses
import os


@dataclasses.dataclass(order=True)
class Tree:
    name: str
    height: int = 3
    leaves: list[str] = dataclasses.field(default_factory=list)


tree = Tree(os.environ["QUERY_STRING"])
tree.leaves.append("green")
print("Content-Type: text/plain\n")
print(tree, dataclasses.asdict(tree), tree < Tree("fir"))
