"""Both versions of the scripts of examples/from-perl, each in a directory with data of its own."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from programs.site import Site

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "examples" / "from-perl"
ENDINGS = ("pl", "py")

#: The directories of a site, and which version is in each: the ports in `taken` go on with the files of
#: the scripts in `former`, those in `mutant` are wrong in one place.
PLACES = {"pl": "pl", "py": "py", "former": "pl", "taken": "py", "mutant": "py"}

#: Takes the place of sendmail: keeps its arguments and the message.
SENDMAIL = """\
#!/bin/sh
{ echo "$@"; cat; } >"$(mktemp "${0%/*}/mail/XXXXXXXX")"
"""


def fill(site: Site) -> None:
    """Put the scripts into a site, with what they need beside them."""
    for place, ending in PLACES.items():
        directory = site.scripts / place
        directory.mkdir()
        shutil.copytree(SCRIPTS / "docs", directory / "docs")
        data = directory / "data"
        for name in ("", "board", "mail", "pictures", "sessions"):
            (data / name).mkdir()
        (data / "sessions").chmod(0o700)
        hashed = hashlib.sha256(b"pepper" + b"open sesame").hexdigest()
        (data / "users.txt").write_text(f"ada:pepper:{hashed}\n")
        sendmail = data / "sendmail"
        sendmail.write_text(SENDMAIL)
        sendmail.chmod(0o755)
        for script in SCRIPTS.glob(f"*.{ending}"):
            text = script.read_text().replace("/usr/sbin/sendmail", str(sendmail))
            (directory / script.name).write_text(text)
            shutil.copymode(script, directory / script.name)
        if site.user:
            subprocess.run(["chown", "-R", f"{site.user}:", data], check=True)


def take_over(scripts: Path, name: str) -> None:
    """Give a port a copy of what the script in Perl has kept."""
    data = scripts / "former" / "data" / name
    subprocess.run(["cp", "-a", data, scripts / "taken" / "data"], check=True)
