#!/usr/bin/env python3
# why: How the kernel shares out the processor.
# first: GET /?yes
# second: GET /
# never: batch
import os

print("Content-Type: text/plain\n")
print("batch" if os.sched_getscheduler(0) == os.SCHED_BATCH else "other")
if os.environ["QUERY_STRING"]:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
