#!/usr/bin/env python3
import cgi

def do_list(form):
    return "list " + form.getfirst("id", "?")

def do_save(form):
    return "save " + form.getfirst("text", "")

ACTIONS = {"list": do_list, "save": do_save}
form = cgi.FieldStorage()
action = ACTIONS.get(form.getfirst("do"))
print("Content-Type: text/plain\n")
print(action(form) if action else "what?")
