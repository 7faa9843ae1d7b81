#!/usr/bin/env python3
# Writes a mail into a file, as a form mailer would send it.
import cgi
form = cgi.FieldStorage()
REQUIRED = ("email", "subject", "body")
missing = [name for name in REQUIRED if name not in form]
print("Content-Type: text/html\n")
if missing:
    print("<p>Missing: %s</p>" % ", ".join(missing))
else:
    with open("outbox.txt", "a") as out:
        out.write("From: %s\nSubject: %s\n\n%s\n" % tuple(form[n].value for n in REQUIRED))
    print("<p>Thank you.</p>")
