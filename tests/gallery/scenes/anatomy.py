"""The anatomy of a request: a plain one, a query, a form with a cookie, and a file."""

from gallery.visitor import LONG, Visitor, at


def posted(visitor: Visitor) -> None:
    visitor.opens("anatomy.py")
    visitor.clicks("[name=flavour]")
    visitor.sends("form[aria-label=POST]", name=f"Ada <b> {LONG}", password="open sesame")


def file(visitor: Visitor) -> None:
    path = visitor.place / "notes.txt"
    path.write_bytes(b"One line\nand \xff\x00 another\n")
    visitor.opens("anatomy.py")
    visitor.sends("form[aria-label='A file']", title="Holiday", file=str(path))


SCENES = {
    "": at("anatomy.py/some/path?word=caf%C3%A9+%26+cr%C3%A8me&tea=green&tea=black&token=secret"),
    "plain": at("anatomy.py"),
    "posted": posted,
    "file": file,
    "bytes": at(f"anatomy.py?x=%FF%00%3Cscript%3E&{LONG}=1"),
}
