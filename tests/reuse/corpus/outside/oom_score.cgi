#!/usr/bin/env python3
# why: How likely the kernel ends this process when memory is short.
# first: GET /?731
# second: GET /
# never: score 731
import os

score = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with open("/proc/self/oom_score_adj") as file:
    print("score", file.read())
if score:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(score)
