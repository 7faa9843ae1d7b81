"""What a configuration is to serve, where, and as whom: the answers that every server's text needs.

Pure values. Which command starts the scripts' side stands here, once for all servers, because the
permissions of its socket are what goes wrong most often.
"""

import os
import re
from dataclasses import dataclass, fields
from urllib.parse import quote

from . import quoting
from .programs import command
from .quoting import Unsayable, refuse, shell

#: Where scripts look for programs, behind the directory of the Python that has cgikit.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"

BODY = 1_024  # MiB, as of `cgikit fastcgi`
TIMEOUT = 60  # seconds, as of `cgikit fastcgi`
#: Seconds by which the web server's limit comes after the scripts', which answers 504 with a page.
MARGIN = 15

#: Processes of a persistent script, CGIKIT_WORKERS.
WORKERS = 4

#: sun_path of unix(7) is 108 bytes, one of them the NUL at its end.
SOCKET_BYTES = 107


def unit_name(path: str) -> str:
    """Return a name for a script's socket and units (str): that of the file, in plain characters."""
    name = os.path.splitext(os.path.basename(path))[0]
    return re.sub("[^A-Za-z0-9_.-]", "-", name)


@dataclass(frozen=True)
class Site:
    """A directory of scripts, or one script, and how it is to be served. Paths are absolute."""

    root: str
    single: bool = False  # the root is one script: it answers at the prefix and below
    server: str = ""  # the name of the recipe
    listen: str = "127.0.0.1"  # an IP address
    port: int = 8080
    prefix: str = "/cgi-bin"  # of the URL; "" means that the scripts are all there is
    state: str = "/var/lib/cgikit"  # configuration, logs and process ids
    socket: str = "/var/lib/cgikit/run/cgikit.sock"
    user: str | None = None  # whom the server and the scripts run as; None: who starts them
    group: str | None = None
    cgikit: tuple[str, ...] = ("cgikit",)  # the words that start this command
    python: str = "/usr/bin/python3"  # the interpreter that has cgikit
    modules: str = "/usr/lib/apache2/modules"  # httpd's
    script: str = "SCRIPT"  # the name of one of the scripts, to try; "" where there is none
    options: tuple[str, ...] = ()  # words for `cgikit fastcgi` or `cgikit scgi`
    persistent: bool = False  # the root is one script that answers over FastCGI by itself
    stderr: str = ""  # log or server, where it was chosen
    users: str | None = None  # the file of those who may come in, with their passwords
    body: int = BODY  # MiB of a request's body
    timeout: int = TIMEOUT  # seconds in which a script must say something

    def __post_init__(self) -> None:
        """Refuse what no text can say: `Unsayable` for the end of a line, which would end a comment,
        other control characters, and bytes that are not text.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "script":  # it is seen in a URL only, where any byte can be escaped
                for text in value if isinstance(value, tuple) else (value,):
                    if isinstance(text, str):
                        refuse(text, "", "a configuration")

    @property
    def patience(self) -> int:
        """Seconds that the web server waits for the scripts' side, which has a limit of its own."""
        return self.timeout + MARGIN

    @property
    def path(self) -> str:
        """PATH for scripts: `#!/usr/bin/env python3` finds the Python that has cgikit."""
        first = os.path.dirname(self.python)
        return SYSTEM_PATH if first in SYSTEM_PATH.split(":") else f"{first}:{SYSTEM_PATH}"

    @property
    def host(self) -> str:
        """The address as it stands before a colon and a port."""
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
        """The URL path below which all scripts are; ends with a slash."""
        return f"{self.prefix}/"

    @property
    def place(self) -> str:
        """The URL path that is the scripts': without a slash at its end where one script is served."""
        return self.prefix if self.single and self.prefix else self.location

    @property
    def documents(self) -> str:
        """The directory of plain files, which the server sends itself."""
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
        """Return the command line of our side: `cgikit fastcgi` or `cgikit scgi`."""
        if self.persistent:
            return self._spawned()
        words = [*self.cgikit, protocol, self.root, "--socket", self.socket]
        return self.as_user(*words, *self.mounted(), *self.options)

    def _spawned(self) -> str:
        """Return the command line that starts a persistent script on its socket."""
        # -n stays in the foreground, and shows why a script did not start. -d: relative paths of the
        # script begin in its own directory, as under CGI, and not where the terminal happens to stand
        words = ["env", f"PATH={self.path}", f"CGIKIT_WORKERS={WORKERS}"]
        words += [f"CGIKIT_STDERR={self.stderr}"] if self.stderr else []
        words += [command("spawn-fcgi"), "-n", "-d", os.path.dirname(self.root)]
        words += ["-s", self.socket, "-M", "0600", "--", self.root]
        return self.as_user(*words)

    def mounted(self) -> list[str]:
        """Return the option that tells our side where the scripts are in the URL, if it has to know.

        A single script has to at the root, too: servers split what comes there each in its own way.
        """
        return ["--prefix", self.prefix or "/"] if self.prefix or self.single else []

    def prepare(self, *, linked: bool = False) -> list[str]:
        """Return the commands that make the directories, all of them readable by everybody.

        `linked`: the scripts appear among the documents; `Unsayable` if there is no prefix for them.
        """
        directories = [self.state, self.documents]
        commands = []
        if linked:
            if not self.prefix:
                raise Unsayable("it keeps scripts below a path of their own: give a --prefix")
            link = self.documents + self.prefix
            directories.append(os.path.dirname(link))
            commands.append(f"ln -sfn {shell(self.root)} {shell(link)}")
        # Only where the socket is belongs to the user: who may write the configuration would be root
        # at the next start.
        owner = f"-o {shell(self.user)} -g {shell(self.group or self.user)} " if self.user else ""
        made = " ".join(shell(directory) for directory in dict.fromkeys(directories))
        commands.insert(0, f"install -d {made}")
        commands.insert(1, f"install -d {owner}{shell(self.run)}")
        return commands
