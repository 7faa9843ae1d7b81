"""What a supervisor tells its workers: plain values, all with a default. No decision is made here."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Settings:
    """What a supervisor tells a worker: plain values, so that they can be sent."""

    __slots__ = (
        "children", "debug", "grace", "interpret", "learnt", "memory", "pass_on", "prefix", "preload",
        "processes", "protocol", "queue", "root", "timeout", "total", "warm",
    )  # fmt: skip

    def __init__(self, **values: "Any") -> None:
        self.root: str = values["root"]  # a directory, or one script
        self.protocol: str = values["protocol"]  # "fastcgi" or "scgi"
        self.prefix: str = values.get("prefix", "")  # of the URL; "" or begins with "/"
        self.warm: bool = values.get("warm", True)
        self.interpret: bool = values.get("interpret", True)  # judge headers, make error pages
        self.debug: bool = values.get("debug", False)  # details in error pages
        self.preload: list[str] = values.get("preload", [])
        self.learnt: list[str] = values.get("learnt", [])
        self.pass_on: list[str] = values.get(
            "pass_on", []
        )  # variables that are not passed otherwise
        self.timeout: float = values.get(
            "timeout", 60.0
        )  # seconds: to the headers, then of silence
        self.total: float = values.get("total", 3_600.0)  # seconds for everything
        self.grace: float = values.get("grace", 3.0)  # seconds from TERM to KILL
        self.children: int = values.get("children", 256)  # scripts at once
        self.queue: int = values.get("queue", 256)  # requests that wait for one of these to end
        self.memory: int = values.get("memory", 0)  # bytes of address space for a script
        self.processes: int = values.get(
            "processes", 0
        )  # of the scripts' user, for a script's forks

    def values(self) -> dict[str, object]:
        """Return the values as a dict of what `marshal` can write."""
        return {name: getattr(self, name) for name in self.__slots__}
