#!/usr/bin/env python3
# -*- coding: iso-8859-1 -*-
# Gästebuch für Müller
import cgi
form = cgi.FieldStorage()
print("Content-Type: text/plain; charset=us-ascii\n")
print(ascii("Grüße"), form.getvalue("a", "ä"))
