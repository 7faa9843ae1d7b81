"""What every session store does, whatever it keeps them in: one suite for all of them.

A store's tests subclass `StoreContract` and give the fixture `opener`: a function that takes a
store's policy (`idle=…`, `clock=…`) and opens the same place each time, in forked children too.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Opener, Visitor, put
from torture import size

from cgikit import LockTimeout, Session, StorageError
from cgikit.sessions.payload import MAX_BYTES, Payload
from cgikit.sessions.store import MAX_GAP, Record, Store, key_of, new_id
from cgikit.sessions.users import key_of_user, log_out

DAY = 86_400
TEN_YEARS = 3_653 * DAY
NOW = 1_700_000_000.0
PROCESSES = 16

BAD_KEYS = (
    "", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "../" * 21 + "a", "/" + "a" * 63, "a" * 63 + "\0",
    "a" * 63 + "\n", "a" * 63 + "\u0661", "*" * 64, " " + "a" * 63,
)  # fmt: skip

_DIGITS = b"1" * 400  # JSON has integers that no float can hold
#: Payloads that `Payload.encode` never makes: set aside, whatever store they lie in.
DAMAGED = (
    b"", b"\0\xff", b"{", b"[]", b'{"v":2}',
    b'{"v":1,"created":%b}' % _DIGITS,
    b'{"v":1,"created":-%b}' % _DIGITS,
    b'{"v":1,"created":1e999}',
    b'{"v":1,"created":1700000000,"data":{"a":1},"until":{"a":%b}}' % _DIGITS,
    b'{"v":1,"created":1700000000,"data":{"a":1},"retired":%b}' % _DIGITS,
    b'{"v":1,"created":1700000000,"data":{"a":%b}}' % (b"1" * 5_000),
    # Less than `MAX_BYTES` as it lies there, and more as we write it.
    b'{"v":1,"created":1700000000,"data":{"a":"%b"}}' % (b"\xc3\xbc" * 400_000),
)  # fmt: skip


def a_key() -> str:
    return key_of(new_id())


def a_record(data: object = 1, accessed: float = NOW, expires: float = NOW + DAY) -> Record:
    payload = Payload(NOW)
    payload.data["data"] = data
    return Record(payload.encode(), accessed, expires)


def vars_of(record: Record | None) -> tuple[bytes, float, float] | None:
    return record and (record.payload, record.accessed, record.expires)


def remembered(life: float, accessed: float = NOW) -> Record:
    """A record that says itself how long it is kept."""
    payload = Payload(NOW)
    payload.data["user"], payload.keep = "ada", life
    return Record(payload.encode(), accessed, NOW + life)


def data(record: Record | None) -> object:
    assert record is not None
    return Payload.decode(record.payload).data["data"]


class StoreContract:
    """The suite."""

    @pytest.fixture
    def opener(self) -> Opener:
        raise NotImplementedError("a store's tests say how it is opened")

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(NOW)

    @pytest.fixture
    def store(self, opener: Opener, clock: Clock) -> Iterator[Store]:
        return opener(clock=clock, sweep_chance=0)

    # --- sessions of those who keep no cookie -------------------------------------------------------

    def test_1_19_what_holds_only_a_token_ends_early_unless_its_cookie_comes_back(
        self, opener: Opener, clock: Clock
    ) -> None:
        """A robot leaves one at every page with a form, and never comes back to any of them."""
        store = opener(clock=clock, sweep_chance=0)
        for _ in range(20):
            Visitor(store).visit(Session.csrf_token)
        person, buyer, flashed = Visitor(store), Visitor(store), Visitor(store)
        token = person.visit(Session.csrf_token)
        buyer.visit(lambda session: (session.csrf_token(), put("cart", 1)(session)))
        flashed.visit(lambda session: (session.csrf_token(), session.flash("notice", "x")))
        clock.pass_(1_790)
        assert person.visit(Session.csrf_token) == token
        assert store.purge(clock.now) == 0
        clock.pass_(20)
        assert store.purge(clock.now) == 20
        assert store.count() == 3
        clock.pass_(7_100)  # less than `idle` since the person was here
        assert person.visit(Session.csrf_token) == token
        person.visit(lambda session: session.check_csrf(token))

    def test_one_whose_cookie_came_too_late_starts_anew(self, opener: Opener, clock: Clock) -> None:
        store = opener(clock=clock, sweep_chance=0, token_idle=60)
        person = Visitor(store)
        token = person.visit(Session.csrf_token)
        clock.pass_(61)
        assert person.visit(Session.csrf_token) != token

    def test_one_that_has_come_back_is_not_written_at_every_request(
        self, opener: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = opener(clock=clock, sweep_chance=0)
        clock.pass_(0.123456789)  # some stores round
        person = Visitor(store)
        person.visit(Session.csrf_token)
        saved: list[str] = []
        real = store.save
        monkeypatch.setattr(
            store, "save", lambda key, *a, **o: (saved.append(key), real(key, *a, **o))
        )
        for _ in range(5):
            person.visit(Session.csrf_token)
        assert len(saved) == 1

    def test_a_session_that_starts_after_the_end_of_another_is_new(
        self, opener: Opener, clock: Clock
    ) -> None:
        store = opener(clock=clock, sweep_chance=0)
        person = Visitor(store)
        person.visit(put("a", 1))
        person.visit(lambda session: (session.destroy(), session.csrf_token()))
        clock.pass_(1_801)
        assert store.purge(clock.now) == 1

    # --- sessions that are kept for longer, and those of one user ------------------------------------

    def test_who_only_reads_stays(self, opener: Opener, clock: Clock) -> None:
        store = opener(clock=clock, sweep_chance=0)
        person = Visitor(store)
        person.visit(put("a", 1))
        for _ in range(4):
            clock.pass_(7_000)
            assert person.visit(dict, readonly=True) == {"a": 1}
            assert store.purge(clock.now) == 0

    def test_who_is_remembered_comes_back_after_weeks(self, opener: Opener, clock: Clock) -> None:
        """However long it is not used, and by no purge of others: until its own end."""
        store = opener(clock=clock, sweep_chance=0)
        person, other = Visitor(store), Visitor(store)
        person.visit(lambda session: (session.update(user="ada"), session.remember(30 * DAY)))
        other.visit(put("a", 1))
        assert f"Max-Age={30 * DAY}" in person.set_cookies[0]
        clock.pass_(29 * DAY)
        assert store.purge(clock.now) == 1
        assert store.sweep() == 0
        assert other.visit(dict) == {}
        assert person.visit(dict, readonly=True) == {"user": "ada"}
        assert person.visit(dict) == {"user": "ada"}
        person.visit(put("n", 1))
        store.touch(key_of(person.cookie), clock.now)
        clock.pass_(DAY - 1)
        assert person.visit(dict) == {"user": "ada", "n": 1}
        clock.pass_(1)
        assert person.visit(dict) == {}
        assert store.purge(clock.now) == 1

    def test_a_wrong_clock_remembers_nobody_for_ever(self, opener: Opener, clock: Clock) -> None:
        store = opener(clock=clock, sweep_chance=0)
        clock.pass_(TEN_YEARS)
        seen, unseen = Visitor(store), Visitor(store)
        for person in (seen, unseen):
            person.visit(lambda session: (session.update(a=1), session.remember(500)))
        clock.pass_(-TEN_YEARS)
        assert seen.visit(dict) == {"a": 1}
        clock.pass_(501)
        assert seen.visit(dict) == {}
        store.purge(clock.now, force=True)  # mends what nobody asks for
        clock.pass_(501)
        store.purge(clock.now, force=True)
        assert store.count() == 0

    def test_all_sessions_of_a_user_end_at_once(self, opener: Opener, clock: Clock) -> None:
        """S9. In one step, whatever their number; those of others, and of nobody, stay."""
        store = opener(clock=clock, sweep_chance=0)

        def log_in(user: str | None) -> Visitor:
            visitor = Visitor(store)
            visitor.visit(lambda session: (session.update(n=1), setattr(session, "user", user)))
            return visitor

        desk, phone, lost = (log_in("ada") for _ in range(3))
        other, nobody = log_in("eve"), log_in(None)
        lost.visit(lambda session: session.remember(300 * DAY))
        desk.visit(Session.log_out_others)
        after = log_in("ada")
        for gone in (phone, lost):
            assert gone.visit(dict, readonly=True) == {}
            assert gone.visit(lambda session: (session.user, session.is_new)) == (None, True)
        for stays in (desk, after):
            assert stays.visit(lambda session: (session.user, session["n"])) == ("ada", 1)
        log_out(store, "ada")
        log_out(store, "ada")
        for gone in (desk, after, phone, lost):
            assert gone.visit(dict) == {}
        assert other.visit(lambda session: session.user) == "eve"
        assert nobody.visit(dict) == {"n": 1}
        assert log_in("ada").visit(lambda session: session.user) == "ada"

    def test_a_purge_with_another_policy_shortens_no_session(
        self, opener: Opener, clock: Clock
    ) -> None:
        """`cgikit sessions purge` has the default `absolute`, and cut all sessions to one more day."""
        month = {"idle": 30 * DAY, "absolute": 30 * DAY}
        store = opener(clock=clock, sweep_chance=0, **month)
        other = opener(clock=clock, idle=float("inf"))
        person = Visitor(store)
        person.visit(put("n", 1))
        before = store.load(key_of(person.cookie))
        for _ in range(29):
            clock.pass_(DAY)
            assert other.purge(clock.now, force=True) == 0
        after = store.load(key_of(person.cookie))
        assert before is not None and after is not None  # noqa: PT018
        assert (after.accessed, after.expires) == (before.accessed, before.expires)
        assert person.visit(dict) == {"n": 1}

    def test_what_a_wrong_clock_has_begun_keeps_its_own_length_in_a_purge(
        self, opener: Opener, clock: Clock
    ) -> None:
        store = opener(clock=clock, sweep_chance=0, idle=30 * DAY, absolute=30 * DAY)
        clock.pass_(TEN_YEARS)
        person = Visitor(store)
        person.visit(put("n", 1))
        clock.pass_(-TEN_YEARS)
        opener(clock=clock, idle=float("inf")).purge(clock.now, force=True)
        record = store.load(key_of(person.cookie))
        assert record is not None
        assert record.expires == pytest.approx(NOW + 30 * DAY, abs=1)
        assert record.accessed == pytest.approx(NOW, abs=1)

    @pytest.mark.parametrize("payload", DAMAGED, ids=lambda payload: repr(payload)[:40])
    @pytest.mark.parametrize("purges", [0, 3])
    def test_s9_a_damaged_mark_brings_nobody_back(
        self, opener: Opener, clock: Clock, payload: bytes, purges: int
    ) -> None:
        """It ended sessions for `idle` seconds, and then, or after a purge, they lived again."""
        store = opener(clock=clock, sweep_chance=0)
        thief = Visitor(store)
        thief.visit(lambda session: (setattr(session, "user", "ada"), session.remember(30 * DAY)))
        stolen = thief.cookie
        log_out(store, "ada")
        key = key_of_user("ada")
        with store.lock(key, 0) as mark:
            assert mark is not None
            store.save(key, Record(payload, mark.accessed, mark.expires))
        for _ in range(10):
            clock.pass_(2 * DAY)
            for _ in range(purges):
                store.purge(clock.now, force=True)
                store.sweep()
            thief.cookie = stolen
            assert thief.visit(lambda session: session.user, readonly=True) is None

    def test_no_purge_brings_an_ended_session_back(self, opener: Opener, clock: Clock) -> None:
        store = opener(clock=clock, sweep_chance=0)
        thief = Visitor(store)
        thief.visit(lambda session: (setattr(session, "user", "ada"), session.remember(400 * DAY)))
        stolen = thief.cookie
        log_out(store, "ada")
        for _ in range(4):
            clock.pass_(39 * DAY)
            store.purge(clock.now)
            store.sweep()
            thief.cookie = stolen
            assert thief.visit(lambda session: session.user, readonly=True) is None
        clock.pass_(400 * DAY)
        store.purge(clock.now, force=True)
        thief.cookie = stolen
        assert thief.visit(lambda session: session.user) is None
        assert store.count() == 0

    # --- one record -------------------------------------------------------------------------------

    def test_what_is_saved_is_loaded(self, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("ü\ud800", NOW + 1.5, NOW + 77.25), new=True)
        record = store.load(key)
        assert data(record) == "ü\ud800"
        assert record is not None
        assert record.accessed == pytest.approx(NOW + 1.5, abs=0.001)
        assert record.expires == pytest.approx(NOW + 77.25, abs=0.001)

    def test_a_second_save_replaces_the_first(self, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("x" * 10_000), new=True)
        with store.lock(key, 1) as record:
            assert data(record) == "x" * 10_000
            store.save(key, a_record("short"))
        assert data(store.load(key)) == "short"
        assert store.count() == 1

    def test_the_largest_payload_fits(self, store: Store) -> None:
        key, payload = a_key(), b"x" * MAX_BYTES
        store.save(key, Record(payload, NOW, NOW + DAY), new=True)
        record = store.load(key)
        assert record is not None
        assert record.payload == payload

    def test_unknown_keys_create_nothing(self, store: Store) -> None:
        key = a_key()
        assert store.load(key) is None
        with store.lock(key, 0) as record, store.lock(key, 0) as again:
            assert record is again is None
        store.touch(key, NOW)
        store.delete(key)
        store.set_aside(key, "no reason")
        assert store.load(key) is None
        assert (store.count(), list(store.keys())) == (0, [])

    def test_the_same_beside_a_known_one(self, store: Store) -> None:
        store.save(a_key(), a_record(), new=True)
        key = a_key()
        store.touch(key, NOW)
        with store.lock(key, 0) as record:
            assert record is None
        store.delete(key)
        assert store.load(key) is None
        assert store.count() == 1

    def test_a_new_one_never_overwrites(self, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("first"), new=True)
        with pytest.raises(StorageError):
            store.save(key, a_record("second"), new=True)
        assert data(store.load(key)) == "first"
        assert store.count() == 1

    def test_deleting(self, store: Store) -> None:
        key, other = a_key(), a_key()
        store.save(key, a_record(), new=True)
        store.save(other, a_record(), new=True)
        with store.lock(key, 1):
            store.delete(key)
        assert store.load(key) is None
        assert list(store.keys()) == [other]

    def test_touching_changes_the_time_and_nothing_else(self, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("same"), new=True)
        store.touch(key, NOW + 99)
        record = store.load(key)
        assert data(record) == "same"
        assert record is not None
        assert record.accessed == pytest.approx(NOW + 99, abs=0.001)
        assert record.expires == pytest.approx(NOW + DAY, abs=0.001)

    def test_what_is_set_aside_is_unknown_and_uncounted(self, store: Store) -> None:
        key = a_key()
        for _ in range(2):  # twice under one key: both are kept
            store.save(key, a_record(), new=True)
            with store.lock(key, 1):
                store.set_aside(key, "a test")
            assert store.load(key) is None
            assert (store.count(), list(store.keys())) == (0, [])

    def test_all_keys_are_listed_once(self, store: Store) -> None:
        keys = sorted(a_key() for _ in range(300))
        for key in keys:
            store.save(key, a_record(), new=True)
        assert sorted(store.keys()) == keys
        assert store.count() == 300

    def test_all_records_are_what_loading_gives(self, store: Store) -> None:
        kept = {
            a_key(): a_record("x" * size, NOW + number, NOW + DAY + number)
            for number, size in enumerate([0, 1, 8_000, 8_100, 9_000, 300_000])
        }
        for key, record in kept.items():
            store.save(key, record, new=True)
        found = {key: vars_of(record) for key, record in store.records()}
        assert found == {key: vars_of(record) for key, record in kept.items()}
        assert found == {key: vars_of(store.load(key)) for key in kept}

    def test_a_session_that_ends_meanwhile_is_not_among_the_records(self, store: Store) -> None:
        keys = {a_key() for _ in range(50)}
        for key in keys:
            store.save(key, a_record(), new=True)
        seen = set()
        for key, _ in store.records():
            seen.add(key)
            for other in keys - seen:
                with store.lock(other, 1):
                    store.delete(other)
        assert len(seen) == 1

    @pytest.mark.parametrize("key", BAD_KEYS, ids=repr)
    def test_what_is_no_key_is_refused(self, store: Store, key: str) -> None:
        for call in (
            lambda: store.load(key),
            lambda: store.lock(key, 0).__enter__(),
            lambda: store.save(key, a_record(), new=True),
            lambda: store.save(key, a_record()),
            lambda: store.touch(key, NOW),
            lambda: store.delete(key),
            lambda: store.set_aside(key, ""),
        ):
            with pytest.raises(ValueError, match="not a valid key"):
                call()
        assert store.count() == 0

    def test_another_opening_sees_the_same(self, opener: Opener, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("shared"), new=True)
        assert data(opener().load(key)) == "shared"
        assert list(opener().keys()) == [key]

    # --- the lock ---------------------------------------------------------------------------------

    def test_a_lock_excludes_locks_and_not_reading(self, opener: Opener, store: Store) -> None:
        key, other = a_key(), a_key()
        for each in (key, other):
            store.save(each, a_record("old"), new=True)

        def hold(line: Line) -> None:
            with opener().lock(key, 1) as record:
                assert data(record) == "old"
                line.tell("locked")
                line.hear()

        with Forked(hold) as child:
            assert child.hear() == "locked"
            for timeout in (0, 0.02):
                with pytest.raises(LockTimeout), store.lock(key, timeout):
                    pass
            assert data(store.load(key)) == "old"
            with store.lock(other, 0) as record:
                assert data(record) == "old"
            child.tell("go")
            child.wait()
            with store.lock(key, 0) as record:
                assert data(record) == "old"

    def test_a_lock_ends_with_its_block_even_by_an_error(self, store: Store) -> None:
        key = a_key()
        store.save(key, a_record(), new=True)
        with pytest.raises(ZeroDivisionError), store.lock(key, 0):
            _ = 1 / 0
        with store.lock(key, 0) as record:
            assert record is not None

    def test_who_waits_sees_what_was_saved(self, opener: Opener, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("old"), new=True)

        def wait(line: Line) -> None:
            line.tell("waiting")
            with opener().lock(key, 30) as record:
                line.tell(str(data(record)))

        with store.lock(key, 0):
            child = Forked(wait)
            assert child.hear() == "waiting"
            store.save(key, a_record("new"))
        with child:
            assert child.hear() == "new"

    def test_who_waits_for_what_is_deleted_finds_nothing(
        self, opener: Opener, store: Store
    ) -> None:
        key = a_key()
        store.save(key, a_record("old"), new=True)

        def wait(line: Line) -> None:
            line.tell("waiting")
            with opener().lock(key, 30) as record:
                line.tell(str(record))

        with store.lock(key, 0):
            child = Forked(wait)
            assert child.hear() == "waiting"
            store.delete(key)
        with child:
            assert child.hear() == "None"
        assert store.count() == 0

    def test_a_lock_ends_with_the_process(self, opener: Opener, store: Store) -> None:
        key = a_key()
        store.save(key, a_record("old"), new=True)

        def hold(line: Line) -> None:
            with opener().lock(key, 1):
                line.tell("locked")
                line.hear()

        with Forked(hold) as child:
            assert child.hear() == "locked"
            child.kill()
            with store.lock(key, 10) as record:
                assert data(record) == "old"

    def test_no_change_is_lost(self, opener: Opener) -> None:
        """S10: 16 processes count up in one visitor's session."""
        rounds = -(-size("changes of one session") // PROCESSES)
        store = opener(lock_timeout=60)
        visitor = Visitor(store)
        visitor.visit(put("n", 0))

        def count(line: Line) -> None:
            mine = Visitor(opener(lock_timeout=60), visitor.cookie)
            line.hear()
            for _ in range(rounds):
                mine.visit(lambda session: session.__setitem__("n", session["n"] + 1))
                assert mine.cookie == visitor.cookie

        with ExitStack() as stack:
            children = [stack.enter_context(Forked(count)) for _ in range(PROCESSES)]
            for child in children:
                child.tell("go")
        assert visitor.visit(dict) == {"n": PROCESSES * rounds}
        assert store.count() == 1

    def test_purging_beside_traffic_takes_no_live_session(
        self, opener: Opener, clock: Clock
    ) -> None:
        store = opener(sweep_chance=0)
        for _ in range(100):
            store.save(a_key(), a_record(), new=True)  # of 2023: dead
        visitors = [Visitor(opener(sweep_chance=0)) for _ in range(4)]
        for visitor in visitors:
            visitor.visit(put("n", 0))

        def work(visitor: Visitor, line: Line) -> None:
            visitor.store = opener(sweep_chance=0, lock_timeout=60)
            for _ in range(200):
                visitor.visit(lambda session: session.__setitem__("n", session["n"] + 1))

        with ExitStack() as stack:
            for visitor in visitors:
                stack.enter_context(Forked(lambda line, mine=visitor: work(mine, line)))
            for _ in range(20):
                store.purge(force=True)
        assert [visitor.visit(dict) for visitor in visitors] == [{"n": 200}] * 4
        store.purge(force=True)
        assert store.count() == 4

    # --- purging ----------------------------------------------------------------------------------

    def test_the_dead_are_purged_and_the_living_stay(self, store: Store, clock: Clock) -> None:
        live, idle, over = a_key(), a_key(), a_key()
        store.save(live, a_record(accessed=NOW), new=True)
        store.save(idle, a_record(accessed=NOW - store.idle), new=True)
        store.save(over, a_record(accessed=NOW, expires=NOW), new=True)
        assert store.purge() == 2
        assert list(store.keys()) == [live]
        clock.pass_(store.idle)
        assert store.purge() == 1
        assert store.count() == 0

    def test_purging_by_another_clock(self, store: Store) -> None:
        store.save(a_key(), a_record(), new=True)
        assert store.purge(NOW + 1) == 0
        assert store.purge(NOW + 2 * DAY) == 1

    def test_purging_an_empty_place(self, store: Store) -> None:
        assert store.purge() == 0
        assert store.sweep() == 0
        assert store.count() == 0

    def test_purging_tells_how_far_it_is(self, store: Store) -> None:
        for _ in range(50):
            store.save(a_key(), a_record(accessed=NOW - DAY), new=True)
        told: list[tuple[int, int]] = []
        assert store.purge(progress=lambda done, total: told.append((done, total))) == 50
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]

    def test_a_locked_session_is_not_purged(self, opener: Opener, store: Store) -> None:
        key = a_key()
        store.save(key, a_record(accessed=NOW - DAY), new=True)

        def hold(line: Line) -> None:
            with opener().lock(key, 1):
                line.tell("locked")
                line.hear()

        with Forked(hold) as child:
            assert child.hear() == "locked"
            assert store.purge() == 0
            child.tell("go")
        assert store.purge() == 1

    def test_sweeping_takes_only_the_dead(self, store: Store) -> None:
        live = [a_key() for _ in range(20)]
        for key in live:
            store.save(key, a_record(), new=True)
        for _ in range(20):
            store.save(a_key(), a_record(accessed=NOW - DAY), new=True)
        swept = sum(store.sweep() for _ in range(8_000))
        assert swept == 20  # one of 256 parts is missed by 8,000 draws once in 10^11 runs
        assert sorted(store.keys()) == sorted(live)

    # --- clocks that jump -------------------------------------------------------------------------

    def test_a_jump_ahead_wipes_nothing(self, store: Store, clock: Clock) -> None:
        key = a_key()
        store.save(key, a_record(), new=True)
        clock.pass_(TEN_YEARS)
        assert store.purge() == 0
        clock.pass_(-TEN_YEARS)
        assert store.load(key) is not None
        assert store.purge() == 0  # the last one was in the future: this one only notes itself
        assert store.load(key) is not None

    def test_a_clock_that_stays_ahead_purges_the_second_time(
        self, store: Store, clock: Clock
    ) -> None:
        store.save(a_key(), a_record(), new=True)
        clock.pass_(TEN_YEARS)
        assert store.purge() == 0
        clock.pass_(3_600)
        assert store.purge() == 1

    def test_force_purges_at_once(self, store: Store, clock: Clock) -> None:
        store.save(a_key(), a_record(), new=True)
        clock.pass_(TEN_YEARS)
        assert store.purge(force=True) == 1

    def test_a_purge_once_a_month_purges(self, store: Store, clock: Clock) -> None:
        assert 31 * DAY < MAX_GAP
        store.save(a_key(), a_record(), new=True)
        clock.pass_(31 * DAY)
        assert store.purge() == 1

    def test_a_stamp_from_the_future_does_not_last(self, store: Store, clock: Clock) -> None:
        key = a_key()
        ahead = NOW + TEN_YEARS
        payload = Payload(ahead)
        payload.data["data"] = 1
        store.save(key, Record(payload.encode(), ahead, ahead + DAY), new=True)
        assert store.purge() == 0
        record = store.load(key)
        assert record is not None
        assert record.accessed <= NOW + 1
        assert record.expires <= NOW + store.absolute + 1
        clock.pass_(store.idle + 1)
        assert store.purge() == 1

    def test_a_jump_back_and_forth_wipes_nothing(self, store: Store, clock: Clock) -> None:
        key = a_key()
        store.save(key, a_record(), new=True)
        assert store.purge() == 0
        clock.pass_(-TEN_YEARS)
        assert store.purge() == 0
        clock.pass_(TEN_YEARS)
        assert store.purge() == 0
        record = store.load(key)
        assert record is not None
        assert store.is_live(store.clamped(record, NOW), NOW)

    def test_the_stamp_of_the_purge(self, store: Store, clock: Clock) -> None:
        store.save(a_key(), a_record(), new=True)
        assert store.purge_stamp() == pytest.approx(NOW, abs=0.001)
        clock.pass_(100)
        assert store.purge_stamp() == pytest.approx(NOW, abs=0.001)
        assert store.purge_stamp(renew=True) == pytest.approx(NOW + 100, abs=0.001)
        assert store.purge_stamp() == pytest.approx(NOW + 100, abs=0.001)

    # --- sessions on it ---------------------------------------------------------------------------

    def test_a_visitor_comes_back(self, store: Store) -> None:
        visitor = Visitor(store)
        visitor.visit(put("name", "Ada"))
        assert visitor.visit(lambda session: (dict(session), session.is_new)) == (
            {"name": "Ada"},
            False,
        )
        assert list(store.keys()) == [key_of(visitor.cookie)]

    def test_rotating_and_destroying(self, store: Store) -> None:
        visitor = Visitor(store)
        visitor.visit(put("name", "Ada"))
        old = visitor.cookie
        visitor.visit(lambda session: session.rotate())
        assert visitor.cookie not in {"", old}
        assert visitor.visit(dict) == {"name": "Ada"}
        visitor.visit(lambda session: session.destroy())
        assert visitor.cookie == ""
        assert list(store.keys()) == [key_of(old)]  # for its grace

    @pytest.mark.parametrize("payload", DAMAGED, ids=lambda payload: repr(payload)[:40])
    def test_9_2_8_what_is_damaged_is_set_aside(
        self, store: Store, payload: bytes, capfd: pytest.CaptureFixture[str]
    ) -> None:
        visitor = Visitor(store, new_id())
        store.save(key_of(visitor.cookie), Record(payload, NOW, NOW + DAY), new=True)
        assert visitor.visit(lambda session: (dict(session), session.is_new)) == ({}, True)
        assert store.count() == 0
        assert len(capfd.readouterr().err.splitlines()) == 1
        old = visitor.cookie
        visitor.visit(put("a", 1))
        assert visitor.cookie != old
