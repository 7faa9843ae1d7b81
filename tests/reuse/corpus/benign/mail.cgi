#!/usr/bin/env python3
# why: A message is put together; nothing is sent.
# first: GET /?oak7731
# second: GET /?elm
import email
import os
from email.message import EmailMessage

message = EmailMessage()
message["Subject"] = os.environ["QUERY_STRING"]
message["To"] = "Ada <ada@example.org>"
message.set_content("Ein schöner Baum.\n")
print("Content-Type: text/plain\n")
print(email.message_from_bytes(bytes(message)).get("Subject"), message.as_string())
