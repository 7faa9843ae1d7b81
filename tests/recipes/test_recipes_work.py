"""Recipes that start work: a long job, a program from a form, cron, webhooks; attacked and killed."""

import base64
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from requirement import need
from serving import until

from cgikit import atomic_write
from cgikit.testing import Client
from recipes.recipe import put, run_program, token, visitor

# --- a long job --------------------------------------------------------------------------------


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock in another process."""
    code = f"from cgikit import lock\nwith lock({name!r}):\n  print(1, flush=True)\n  input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "1\n"
        yield
        holder.communicate("\n")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Client]:
    """The form; what its jobs do last is waited for at the end."""
    put(tmp_path, "work.py", {"time.sleep(0.1)": "time.sleep(0.001)"})
    client = visitor(put(tmp_path, "job.py"))
    yield client
    for state in (tmp_path / "data" / "jobs").glob("*.json"):
        assert until(lambda state=state: not alive(tmp_path, state.stem))


def alive(folder: Path, name: str) -> bool:
    code = f"from cgikit import lock\nwith lock('data/jobs/{name}.alive', timeout=0): pass"
    return bool(subprocess.run([sys.executable, "-c", code], cwd=folder, stderr=-3).returncode)


def order(client: Client, pages: int = 3) -> str:
    answer = client.post(data={"pages": str(pages), "csrf": token(client)})
    assert answer.status == 303
    return "?" + answer.location.partition("?")[2]


def shows(client: Client, page: str, text: str) -> Callable[[], bool]:
    return lambda: text in client.get(page).text


def pid_of(folder: Path, name: str) -> int:
    found = subprocess.run([need("pgrep"), "-f", f"work.py {name}"], capture_output=True, text=True)
    (pid,) = found.stdout.split()
    assert os.readlink(f"/proc/{pid}/cwd") == str(folder)
    return int(pid)


def test_the_page_shows_the_job_to_its_end(job: Client, tmp_path: Path) -> None:
    (tmp_path / "data" / "jobs").mkdir(parents=True)
    with held(tmp_path, "data/jobs/one-at-a-time"):
        page = order(job)
        assert "waiting" in job.get(page).text
        assert job.get(page).headers["Refresh"] == "2"
        assert order(job) == page  # a second click on the button
        assert len(list((tmp_path / "data" / "jobs").glob("*.json"))) == 1
    assert until(shows(job, page, "done. 3 pages are ready."))
    assert "Refresh" not in job.get(page).headers
    assert order(job) != page


def test_a_killed_job_is_shown_as_failed_and_the_next_can_begin(
    job: Client, tmp_path: Path
) -> None:
    put(tmp_path, "work.py", {"time.sleep(0.1)": "time.sleep(3600)"})
    page = order(job, 2)
    name = page.partition("=")[2]
    state = tmp_path / "data" / "jobs" / f"{name}.json"
    assert until(lambda: alive(tmp_path, name))  # so it has read its file
    put(tmp_path, "work.py", {"time.sleep(0.1)": "pass"})
    atomic_write(state, json.dumps({"is": "working", "pages": 2, "page": 1}))
    assert "working" in job.get(page).text
    os.kill(pid_of(tmp_path, name), signal.SIGKILL)
    assert until(shows(job, page, "failed. It was ended from outside."))
    assert until(shows(job, order(job), "done"))


def test_a_job_that_raises_says_so_and_logs_why(job: Client, tmp_path: Path) -> None:
    put(tmp_path, "work.py", {"time.sleep(0.1)": "1 / 0"})
    page = order(job)
    assert until(shows(job, page, "failed. Please tell us."))
    log = tmp_path / "data" / "jobs" / f"{page.partition('=')[2]}.log"
    assert until(lambda: "ZeroDivisionError" in log.read_text())


def test_a_job_that_never_began_has_failed_after_a_minute(job: Client, tmp_path: Path) -> None:
    put(tmp_path, "work.py")
    (tmp_path / "data" / "jobs").mkdir(parents=True)
    state = tmp_path / "data" / "jobs" / f"{'0' * 32}.json"
    for age, shown in ((10, "waiting"), (61, "failed")):
        now = {"is": "waiting", "pages": 3, "changed": time.time() - age}
        state.write_text(json.dumps(now))
        assert shown in job.get(f"?job={'0' * 32}").text


def test_words_that_name_no_job_do_nothing(job: Client, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = run_program(tmp_path / "work.py", "../../x", "..", "0" * 32)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["", "..", "0" * 32, "../../data/sessions", "%00", "0" * 31 + "%0A"]
)
def test_other_names_are_no_jobs(job: Client, name: str) -> None:
    assert job.get(f"?job={name}").status == 404


def test_a_number_that_is_too_large_and_a_flood_start_nothing(job: Client, tmp_path: Path) -> None:
    own = token(job)
    for pages in ("501", "0", "-1", "9" * 400, "1e3", ""):
        if pages:
            assert job.post(data={"pages": pages, "csrf": own}).status == 200
    assert job.post(data={"pages": "3"}).status == 403
    assert not (tmp_path / "data" / "jobs").exists()
    put(tmp_path, "job.py", {"_addr, 5)": "_addr, 2)", '"all", 30)': '"all", 3)'})
    told = []
    for address in [*["192.0.2.7"] * 6, "192.0.2.8", "192.0.2.9"]:
        other = visitor(tmp_path / "job.py", address)
        told.append(other.post(data={"pages": "1", "csrf": token(other)}).status)
    assert told == [303, 303, *[429] * 4, 303, 429]
    assert (tmp_path / "data" / "jobs").stat().st_mode & 0o777 == 0o700


def test_a_damaged_state_is_no_job(job: Client, tmp_path: Path) -> None:
    (tmp_path / "data" / "jobs").mkdir(parents=True)
    (tmp_path / "data" / "jobs" / f"{'0' * 32}.json").write_text("{")
    assert job.get(f"?job={'0' * 32}").status == 404


# --- a program from a form ---------------------------------------------------------------------


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "visits.log").write_text("one\n<b>two</b>\n")
    (folder / "--help").write_text("a file\n")
    (folder / "$(id); `id` | id").write_text("named like a command\n")
    (tmp_path / "secret.txt").write_text("secret\n")
    (folder / "link").symlink_to("../secret.txt")
    return folder


def report(folder: Path, changes: dict[str, str] | None = None) -> Client:
    script = put(folder.parent, "report.py", {"/srv/reports": str(folder), **(changes or {})})
    return visitor(script)


def test_names_like_options_and_commands_are_names(reports: Path) -> None:
    client = report(reports)
    for file, text in (("--help", "a file"), ("$(id); `id` | id", "named like a command")):
        page = client.get(params={"report": "Newest lines", "file": file}).text
        assert f"<pre>{text}\n</pre>" in page
    page = client.get(params={"report": "Newest lines", "file": "visits.log"}).text
    assert "&lt;b&gt;two" in page
    assert "<b>two" not in page


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Newest lines", "../secret.txt"),
        ("Newest lines", "/etc/passwd"),
        ("Newest lines", "link"),
        ("Newest lines", "visits.log\nlink"),
        ("Newest lines", "visits.log; id"),
        ("Newest lines", "{file}"),
        ("wc", "visits.log"),
        ("", "visits.log"),
    ],
)
def test_only_what_is_listed_is_run(reports: Path, name: str, file: str) -> None:
    page = report(reports).get(params={"report": name, "file": file}).text
    assert "<pre>" not in page
    assert "secret" not in page


SLEEPS = {
    '["wc", "-l", "--", "{file}"]': '["sh", "-c", "sleep 3600 & sleep 3600"]',
    "10, 100": "1, 100",
}
FLOODS = {'["wc", "-l", "--", "{file}"]': '["yes"]'}
VARIABLES = {'["wc", "-l", "--", "{file}"]': '["env"]'}
LINES = {"report": "Number of lines", "file": "visits.log"}


def test_a_program_that_never_ends_is_ended_with_its_children(reports: Path) -> None:
    page = report(reports, SLEEPS).get(params=LINES).text
    assert "[ended after 1 seconds]" in page


def test_a_program_that_prints_for_ever_is_ended(reports: Path) -> None:
    page = report(reports, FLOODS).get(params=LINES).text
    assert 100_000 < len(page) < 102_000
    assert "[status -9]" in page


def test_a_program_gets_nothing_of_the_request(reports: Path) -> None:
    client = report(reports, VARIABLES)
    page = client.get(params=LINES, headers={"X-Evil": "() { :; }"}, environ={"SECRET": "s"}).text
    assert set(re.findall(r"^(?:<pre>)?(\w+)=", page, re.M)) <= {
        "PATH",
        "LC_ALL",
        "PWD",
        "SHLVL",
        "_",
    }


def test_one_at_a_time(reports: Path) -> None:
    client = report(reports, {"timeout=3)": "timeout=0)"})
    client.get(params=LINES)
    with held(reports.parent, "data/report"):
        answer = client.get(params=LINES)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert client.get(params=LINES).status == 200


# --- cron --------------------------------------------------------------------------------------


def test_the_program_works_from_wherever_cron_starts_it(tmp_path: Path) -> None:
    client = visitor(put(tmp_path, "votes.py"))
    program = put(tmp_path, "nightly.py")
    for choice in ("tea", "tea", "coffee"):
        assert client.post(data={"for": choice}).status == 303
    assert client.post(data={"for": "<b>"}).status == 400
    for _ in range(2):  # a second run changes nothing
        done = subprocess.run(
            [sys.executable, str(program)], cwd="/", capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert "2 for tea, 1 for coffee" in client.get().text
    with held(tmp_path, "data/nightly"):
        done = run_program(program)
        assert (done.returncode, done.stderr) == (1, "nightly.py: the last run has not ended\n")


# --- webhooks ----------------------------------------------------------------------------------

KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@pytest.fixture
def hook(tmp_path: Path) -> Client:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hook-secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    return visitor(put(tmp_path, "hook.py"))


def signature(name: str, stamp: str, body: bytes) -> str:
    return "v1," + base64.b64encode(
        hmac.digest(KEY, f"{name}.{stamp}.".encode() + body, "sha256")
    ).decode()  # fmt: skip


def sent(hook: Client, body: bytes = b'{"paid": 7}', **changed: str) -> int:
    """Send a report with its right signature, except for what is changed afterwards."""
    fields = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time()))}
    fields |= {
        k: changed.pop(k) for k in list(changed) if k.startswith("webhook-") and "sig" not in k
    }
    right = signature(fields["webhook-id"], fields["webhook-timestamp"], body)
    fields["webhook-signature"] = changed.get("webhook-signature", right).replace("RIGHT", right)
    kind = {"Content-Type": "application/json"}
    content = changed["instead"].encode() if "instead" in changed else body
    return hook.post(content=content, headers=fields | kind).status


def received(hook_folder: Path) -> list[bytes]:
    path = hook_folder / "data" / "events.txt"
    return [base64.b64decode(line) for line in path.read_bytes().split()] if path.exists() else []


def test_a_report_is_kept_once_byte_for_byte(hook: Client, tmp_path: Path) -> None:
    body = b'{"a": 1,\r\n "b": "\xff\x00"}\n'
    assert [sent(hook, body) for _ in range(3)] == [204] * 3
    assert received(tmp_path) == [body]
    assert sent(hook, body, **{"webhook-id": "msg_2"}) == 204
    assert sent(hook, **{"webhook-id": "msg_3", "webhook-signature": "v1,x v2,y RIGHT"}) == 204
    assert len(received(tmp_path)) == 3


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"instead": '{"paid": 9}'}, 401),
        ({"webhook-signature": ""}, 401),
        ({"webhook-signature": "v1,"}, 401),
        ({"webhook-signature": "v1,ü"}, 401),
        ({"webhook-signature": "v2,abc " * 500}, 401),
        ({"webhook-id": ""}, 401),
        ({"webhook-timestamp": "1"}, 400),
        ({"webhook-timestamp": str(int(time.time()) + 10_000)}, 400),
        ({"webhook-timestamp": ""}, 400),
        ({"webhook-timestamp": "-5"}, 400),
        ({"webhook-timestamp": "9" * 5000}, 400),
        ({"webhook-timestamp": "nan"}, 400),
    ],
)
def test_forged_and_old_reports_are_refused(
    hook: Client, tmp_path: Path, changed: dict[str, str], status: int
) -> None:
    assert sent(hook, **changed) == status
    assert received(tmp_path) == []


def test_bytes_that_are_no_utf_8_are_no_signature_and_no_id(hook: Client) -> None:
    for name in ("HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_SIGNATURE"):
        fields = {"HTTP_WEBHOOK_ID": "msg_1", "HTTP_WEBHOOK_SIGNATURE": "v1,x", name: "\udcff"}
        assert hook.post(content=b"{}", environ=fields).status == 401


def test_an_id_is_known_for_longer_than_its_report_is_accepted(
    hook: Client, tmp_path: Path
) -> None:
    """The clock of a sender may be fast: then a report is accepted for twice the tolerance."""
    assert sent(hook) == 204
    later = "TOLERANCE, clock=lambda: time.time() + 601)[name]"
    put(tmp_path, "hook.py", {"TOLERANCE)[name]": later})
    assert sent(hook) == 204
    assert len(received(tmp_path)) == 1
    assert (tmp_path / "data" / "events.txt").stat().st_mode & 0o777 == 0o600


def test_a_report_that_could_not_be_kept_is_taken_when_it_comes_again(
    hook: Client, tmp_path: Path
) -> None:
    hook.raise_errors = False
    (tmp_path / "data" / "events.txt").mkdir()
    assert sent(hook) == 500
    (tmp_path / "data" / "events.txt").rmdir()
    assert sent(hook) == 204
    assert len(received(tmp_path)) == 1


def test_a_huge_report_and_a_get_are_refused(hook: Client) -> None:
    assert sent(hook, b"x" * 1_000_001) == 413
    assert hook.get().status == 405
