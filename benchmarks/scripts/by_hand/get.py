"""The least a script can do: print, parse nothing (the answer is written down)."""

print("Content-Type: text/html; charset=utf-8")
print()
print("<p>Hello, Zoë &amp; Co!</p>")
