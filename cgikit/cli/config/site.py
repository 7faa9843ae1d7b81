"""What a configuration serves, where, and as which user: the values that every server's text needs.

Pure values. The command that starts the scripts is built here for all servers, because the permissions
of its socket are the most frequent mistake.
"""

import os
import re
from dataclasses import dataclass, fields
from urllib.parse import quote

from . import quoting
from .programs import command
from .quoting import Unsayable, refuse, shell

#: Where scripts look for programs, after the directory of the Python that has cgikit.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"

BODY = 1_024  # MiB; the default of `cgikit fastcgi`
TIMEOUT = 60  # seconds; the default of `cgikit fastcgi`
#: Seconds that the web server waits longer than `cgikit`, which answers 504 with a page.
MARGIN = 15

#: Processes of a persistent script (CGIKIT_WORKERS).
WORKERS = 4

#: sun_path of unix(7) is 108 bytes, one of them the NUL at its end.
SOCKET_BYTES = 107


def unit_name(path: str) -> str:
    """Return a name for a script's socket and units (str): the file's, in plain characters."""
    name = os.path.splitext(os.path.basename(path))[0]
    return re.sub("[^A-Za-z0-9_.-]", "-", name)


@dataclass(frozen=True)
class Site:
    """A directory of scripts, or one script, and how it is to be served. Paths are absolute."""

    root: str
    single: bool = False  # the root is one script, which answers at the prefix and below it
    server: str = ""  # the name of the recipe
    listen: str = "127.0.0.1"  # an IP address
    port: int = 8080
    prefix: str = "/cgi-bin"  # of the URL; "" means that the scripts are the whole site
    state: str = "/var/lib/cgikit"  # configuration, logs and process ids
    socket: str = "/var/lib/cgikit/run/cgikit.sock"
    user: str | None = None  # who runs the server and the scripts; None: whoever starts them
    group: str | None = None
    cgikit: tuple[str, ...] = ("cgikit",)  # the words of the command line that starts cgikit
    python: str = "/usr/bin/python3"  # the interpreter that has cgikit
    modules: str = "/usr/lib/apache2/modules"  # httpd's
    script: str = "SCRIPT"  # the name of a script to try; "" if there is none
    options: tuple[str, ...] = ()  # words for `cgikit fastcgi` or `cgikit scgi`
    persistent: bool = False  # the root is a persistent script
    stderr: str = ""  # log or server, if it was chosen
    users: str | None = None  # the file of users and their passwords
    body: int = BODY  # MiB of a request's body
    timeout: int = TIMEOUT  # seconds until the headers, and of silence after them

    def __post_init__(self) -> None:
        """Refuse what no text can express: `Unsayable` for a line end, which would end a comment, for
        other control characters, and for bytes that are not text.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            # The script's name appears only in a URL, in which any byte can be escaped
            if field.name != "script":
                for text in value if isinstance(value, tuple) else (value,):
                    if isinstance(text, str):
                        refuse(text, "", "a configuration")

    @property
    def patience(self) -> int:
        """Seconds that the web server waits for the scripts, which have a limit of their own."""
        return self.timeout + MARGIN

    @property
    def path(self) -> str:
        """PATH for scripts: `#!/usr/bin/env python3` finds the Python that has cgikit."""
        first = os.path.dirname(self.python)
        return SYSTEM_PATH if first in SYSTEM_PATH.split(":") else f"{first}:{SYSTEM_PATH}"

    @property
    def host(self) -> str:
        """The address as it is written before a colon and a port."""
        return f"[{self.listen}]" if ":" in self.listen else self.listen

    @property
    def url(self) -> str:
        """The URL of a script."""
        path = f"{self.prefix}/{quote(os.fsencode(self.script))}"
        if self.single:
            path = self.prefix or "/"
        return f"http://{self.host}:{self.port}{path}"

    @property
    def location(self) -> str:
        """The URL path below which all scripts are. Ends with a slash."""
        return f"{self.prefix}/"

    @property
    def place(self) -> str:
        """The URL path of the scripts; without a slash at its end if a single script is served."""
        return self.prefix if self.single and self.prefix else self.location

    @property
    def documents(self) -> str:
        """The directory of plain files, which the web server sends itself."""
        return self.file("htdocs")

    def file(self, name: str) -> str:
        """Return the path of a file in the directory `state`."""
        return os.path.join(self.state, name)

    @property
    def run(self) -> str:
        """The directory of the socket, the only one that the site's user may write to."""
        return os.path.dirname(self.socket)

    def own(self, name: str) -> str:
        """Return the path of a file that the site's user writes."""
        return os.path.join(self.run, name)

    def as_user(self, *words: str) -> str:
        """Return the command line that runs `words` as the site's user."""
        switch: tuple[str, ...] = ()
        if self.user:
            switch = ("setpriv", f"--reuid={self.user}", f"--regid={self.group}", "--init-groups")
        return quoting.words((*switch, *words))

    def gateway(self, protocol: str) -> str:
        """Return the command line that runs the scripts: `cgikit fastcgi` or `cgikit scgi`."""
        if self.persistent:
            return self._spawned()
        words = [*self.cgikit, protocol, self.root, "--socket", self.socket]
        return self.as_user(*words, *self.mounted(), *self.options)

    def _spawned(self) -> str:
        """Return the command line that starts a persistent script on its socket."""
        # -n stays in the foreground and shows why a script did not start. -d makes the script's own
        # directory the current one, as under CGI
        words = ["env", f"PATH={self.path}", f"CGIKIT_WORKERS={WORKERS}"]
        words += [f"CGIKIT_STDERR={self.stderr}"] if self.stderr else []
        words += [command("spawn-fcgi"), "-n", "-d", os.path.dirname(self.root)]
        words += ["-s", self.socket, "-M", "0600", "--", self.root]
        return self.as_user(*words)

    def mounted(self) -> list[str]:
        """Return the option that gives the scripts' URL path, if it is needed (list of str).

        A single script needs it at the root too, because each server splits that path in its own way.
        """
        return ["--prefix", self.prefix or "/"] if self.prefix or self.single else []

    def prepare(self, *, linked: bool = False) -> list[str]:
        """Return the commands that make the directories, which everybody can read.

        `linked` makes the scripts appear among the documents; `Unsayable` if they have no prefix.
        """
        directories = [self.state, self.documents]
        commands = []
        if linked:
            if not self.prefix:
                raise Unsayable("it needs a URL path of their own for scripts: give a --prefix")
            link = self.documents + self.prefix
            directories.append(os.path.dirname(link))
            commands.append(f"ln -sfn {shell(self.root)} {shell(link)}")
        # The user owns only the directory of the socket: whoever can write the configuration becomes
        # root at the next start
        owner = f"-o {shell(self.user)} -g {shell(self.group or self.user)} " if self.user else ""
        made = " ".join(shell(directory) for directory in dict.fromkeys(directories))
        commands.insert(0, f"install -d {made}")
        commands.insert(1, f"install -d {owner}{shell(self.run)}")
        return commands
