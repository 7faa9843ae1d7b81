"""The gallery itself: its list, a script in it, and a source."""

from gallery.visitor import at

SCENES = {
    "": at("gallery.py"),
    "script": at("gallery.py/guestbook"),
    "source": at("gallery.py/guestbook/source"),
}
