"""The settings that a supervisor sends its workers: plain values, most with a default. No logic."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Settings:
    """The settings of a worker: plain values, so that they can be sent."""

    __slots__ = (
        "body", "children", "debug", "grace", "interpret", "learnt", "memory", "mount", "pass_on",
        "patience", "peers", "prefix", "preload", "processes", "protocol", "queue", "reuse",
        "reuse_max", "root", "spool", "stderr_out", "temporary", "timeout", "total", "warm",
    )  # fmt: skip

    def __init__(self, **values: "Any") -> None:
        unknown = values.keys() - set(self.__slots__)
        if unknown:
            raise TypeError(f"Settings has no setting named {min(unknown)!r}")
        given = values.get
        self.root: str = values["root"]  # a directory, or one script
        self.protocol: str = values["protocol"]  # "fastcgi" or "scgi"
        self.peers: str = given("peers", "")  # FCGI_WEB_SERVER_ADDRS
        self.prefix: str = given("prefix", "")  # of the URL; "" or begins with "/"
        #: The URL path of a single script, or "" for the root; None: the peer says where it is
        self.mount: str | None = given("mount", self.prefix or None)
        self.warm: bool = given("warm", True)
        self.interpret: bool = given("interpret", True)  # check header blocks, make error pages
        self.debug: bool = given("debug", False)  # details in error pages
        self.preload: list[str] = given("preload", [])
        self.learnt: list[str] = given("learnt", [])
        self.pass_on: list[str] = given("pass_on", [])  # as `allowlist.pattern` has them
        self.timeout: float = given("timeout", 60.0)  # seconds: to the headers, then of silence
        self.total: float = given("total", 3_600.0)  # seconds for everything
        self.grace: float = given("grace", 3.0)  # seconds from TERM to KILL
        # Seconds until a silent process counts as hung
        self.patience: float = given("patience", 30.0)
        self.children: int = given("children", 256)  # scripts that may run at the same time
        self.queue: int = given("queue", 256)  # requests that wait for one of these to end
        self.body: int = given("body", 1 << 30)  # bytes of a request's body. httpd: 1 GiB
        self.spool: int = given("spool", 1 << 30)  # bytes of an answer on disk. nginx: 1 GiB
        #: Whether scripts' standard error goes to the web server instead of our log
        self.stderr_out: bool = given("stderr_out", False)
        #: Patterns of the scripts whose processes serve several requests, and how many at most
        self.reuse: list[str] = given("reuse", [])
        self.reuse_max: int = given("reuse_max", 1_000)
        self.temporary: str = given("temporary", "/tmp")  # noqa: S108 -- files without a name
        self.memory: int = given("memory", 0)  # bytes of address space for a script
        self.processes: int = given("processes", 0)  # of the user; beyond that scripts cannot fork

    def values(self) -> dict[str, object]:
        """Return the values as a dict of what `marshal` can write."""
        return {name: getattr(self, name) for name in self.__slots__}
