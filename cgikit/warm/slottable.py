"""The table that a supervisor, a worker, its zygote and all children of that share.

Memory that all of them have mapped. Each child has a slot, from the order to fork it until it has been
reaped, with two numbers: its process id, and its exit status plus one once it has left by itself.

At the end is room for the names of the modules that one child had to import. Children write there
without a lock, so two that end at the same moment may overwrite each other's names in part. A check
that is stored with the names shows that; such names are dropped, and learnt from a later request.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

SLOTS = 1_024
#: Added to the exit status of a child that serves several requests: its output is complete; it may get
#: the next request; it has taken a request. `turn` goes with each of them.
ANSWERED, READY, TAKEN = 1 << 16, 1 << 17, 1 << 18
_TURN, _TURNS = 19, 4_095  # where the turn is in a status, and how many there are
NAMES_SIZE = 65_536  # bytes for names, with what is stored beside them
_NAMES = SLOTS * 8  # where they begin
SIZE = _NAMES + NAMES_SIZE
_HEAD = 16  # the process id, the length of the names (0: there are none), their check
_PRIME = (1 << 61) - 1


def turn(number: int) -> int:
    """Return what is added to a status so that it shows which request of its process (0, 1, …) it is
    about. Never 0; the numbers come again after some thousand.
    """
    return (number % _TURNS + 1) << _TURN


def turn_of(status: int) -> int:
    """Return what `turn` has added to a status, 0 if nothing."""
    return status >> _TURN << _TURN


class SlotTable:
    """The table in `memory`. `.pids` and `.statuses` are views of one number for each slot."""

    __slots__ = ("_memory", "pids", "statuses")

    def __init__(self, memory: "mmap") -> None:
        self._memory = memory
        numbers = memoryview(memory)[:_NAMES].cast("i")
        self.pids = numbers[::2]
        self.statuses = numbers[1::2]

    def write_names(self, pid: int, names: list[str]) -> None:
        """In a child: leave the names of modules for `take_names`, unless they are too many."""
        data = "\0".join(names).encode("utf-8", "replace")
        if not data or len(data) > NAMES_SIZE - _HEAD:
            return
        memory, at = self._memory, _NAMES
        memory[at + 4 : at + 8] = bytes(4)
        memory[at : at + 4] = pid.to_bytes(4, "big")
        memory[at + 8 : at + 16] = _check(pid, data).to_bytes(8, "big")
        memory[at + 16 : at + 16 + len(data)] = data
        memory[at + 4 : at + 8] = len(data).to_bytes(4, "big")

    def take_names(self, pid: int) -> list[str]:
        """In a worker: return the names that a child has left, [] if another one was later."""
        memory, at = self._memory, _NAMES
        size = int.from_bytes(memory[at + 4 : at + 8], "big")
        if not size or int.from_bytes(memory[at : at + 4], "big") != pid:
            return []
        check = int.from_bytes(memory[at + 8 : at + 16], "big")
        data = memory[at + 16 : at + 16 + size]
        memory[at + 4 : at + 8] = bytes(4)
        if check != _check(pid, data):
            return []
        return data.decode("utf-8", "replace").split("\0")


def _check(pid: int, data: bytes) -> int:
    """Return a number that says whether `data` is as this process has written it. Needs no import."""
    return int.from_bytes(pid.to_bytes(4, "big") + data, "big") % _PRIME
