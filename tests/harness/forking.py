"""Handlers that fork, in all ways in which the child can come back out of one.

`FORKING` is the code of a script without its last line: give it `run(page, …)`. The query chooses the
child's way; the parent waits for the child, and answers with its exit status.
"""

FORKING = """
import os
def forked(leave):
    pid = os.fork()
    if pid:
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print("the child was here", file=sys.stderr)
    if leave == "raise":
        raise ValueError("in the child")
    if leave.startswith("exit"):
        sys.exit(int(leave[4:]))
    if leave == "http":
        raise HTTPError(404, "in the child")
    return "the child's answer"
def pieces(leave):
    yield "parent: "
    status = forked(leave.removesuffix(" piece"))
    yield status
    if not leave.endswith("piece"):
        yield "."
def page(request):
    leave = request.query["leave"]
    if request.path_info == "/pieces":
        return Response.stream(pieces(leave))
    return Response("parent: " + forked(leave))
"""

#: How the child leaves the handler, and the status that its process ends with.
LEAVING = [("return", 0), ("raise", 1), ("http", 1), ("exit0", 0), ("exit3", 3)]

#: The same for a child that is forked while the body is made.
LEAVING_PIECES = [("return", 0), ("last piece", 0), ("raise", 1), ("exit3", 3)]

#: A session and an upload that a child must leave alone. The parent counts, the child would as well.
HELD = """
import os
def page(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    upload = request.files["f"]
    pid = os.fork()
    if not pid:
        request.session["visits"] = 1_000
        return "the child's answer"
    os.waitpid(pid, 0)
    return f"{request.session['visits']} {len(upload.read())}"
"""
