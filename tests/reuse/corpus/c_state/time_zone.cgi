#!/usr/bin/env python3
# why: The zone of C's localtime(3) stays when the variable goes.
# first: GET /?OAK-7:31
# second: GET /
# never: OAK
import os
import time

zone = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(time.strftime("%Z %H:%M", time.localtime(0)), time.tzname)
if zone:
    os.environ["TZ"] = zone
    time.tzset()
