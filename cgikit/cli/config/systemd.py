"""systemd: units that keep the scripts' side running, with a socket that systemd makes.

The scripts' side is `cgikit fastcgi`, a persistent script, or gunicorn. The sandbox is as tight as CGI
scripts of any language bear; what is left out on purpose is a comment in the unit, with its reason.
"""

import os
import shutil
from typing import NamedTuple

from . import wsgiservers
from .quoting import shell, systemd_path, systemd_program
from .quoting import systemd as quoted
from .recipe import Recipe
from .site import WORKERS, Site, unit_name

UNITS = """\
#!/bin/sh
set -e
cat > /etc/systemd/system/{unit}.socket <<'END'
[Unit]
Description=Socket of {what}

[Socket]
ListenStream={listen}
{access}
[Install]
WantedBy=sockets.target
END
cat > /etc/systemd/system/{unit}.service <<'END'
[Unit]
Description={what}
Requires={unit}.socket
After=network.target

[Service]
{service}# The scripts' user. It need not be the socket's: systemd has opened that already.
User={user}
Group={group}
Restart=on-failure
# First the master alone: it lets requests that run come to their end.
KillMode=mixed
TimeoutStopSec=90
UMask=0022
TasksMax=512

# Secrets, as lines NAME=value, in a file of mode 0600 that root owns: systemd reads it, and scripts
# need no right to it. "-": it need not be there.
EnvironmentFile=-/etc/cgikit/{unit}.env
{values}
{sandbox}
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now {unit}.socket
"""

#: For a socket in the file system.
ACCESS = """\
# Only this user, the web server's, may connect: with another one it answers 502 or 503.
SocketUser={user}
SocketGroup={group}
SocketMode=0600
DirectoryMode=0755
"""

SANDBOX = """\
ProtectControlGroups=yes
ProtectSystem=full
{home}
# Scripts see their own user's processes only.
ProtectProc=invisible
# Left out, since cgikit cannot know: PrivateTmp=yes, for scripts that share files in /tmp with
# other programs; ProtectSystem=strict, which wants ReadWritePaths= with each directory that scripts
# write to; MemoryDenyWriteExecute=yes, for programs that compile while they run (PHP, node).

# With any of the following no program gains rights by its set-uid or set-gid bit. Postfix takes
# mail that way (postdrop, which sendmail starts): delete them all if your scripts send mail.
# If one thing stops working, delete the line that forbids it, then systemctl daemon-reload.
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
"""

#: For each --env.
VALUE = """\
# The value that scripts get of {name}, if it is not secret:
#Environment="{name}=..."
"""

#: What ProtectHome= closes.
HOMES = tuple(f"/{name}/" for name in ("home", "root", "run/user"))


class Unit(NamedTuple):
    """What differs between the units."""

    name: str  # never that of a service of the system
    about: str
    listen: str
    access: str  # the lines about who may connect
    service: str  # the lines that start it


def _fastcgi(site: Site) -> Unit:
    program = shutil.which(site.cgikit[0]) or site.cgikit[0]
    words = [*site.cgikit[1:], "fastcgi", site.root, *site.mounted(), *site.options]
    command = " ".join([systemd_program(os.path.abspath(program)), *map(quoted, words)])
    service = f"ExecStart={command}\nExecReload=/bin/kill -HUP $MAINPID\n"
    return _at_a_path(site, "cgikit-fastcgi", "CGI scripts over FastCGI", service)


def _script(site: Site) -> Unit:
    file = os.path.basename(site.root)
    service = (
        f"ExecStart={systemd_program(site.root)}\n"
        "# Where the script's relative paths begin, as under CGI\n"
        f"WorkingDirectory={systemd_path(os.path.dirname(site.root))}\n"
        "# #!/usr/bin/env python3 looks here: first where the Python is that has cgikit\n"
        f"Environment={quoted(f'PATH={site.path}', setting=True)}\n"
        f"Environment=CGIKIT_WORKERS={WORKERS}\n"
        + (f"Environment=CGIKIT_STDERR={site.stderr}\n" if site.stderr else "")
    )
    about = f"{file} over FastCGI".replace("%", "%%")
    return _at_a_path(site, f"cgikit-{unit_name(site.root)}", about, service)


def _at_a_path(site: Site, name: str, about: str, service: str) -> Unit:
    access = ACCESS.format(user=_user(site), group=_group(site))
    return Unit(name, about, systemd_path(site.socket), access, service)


def _gunicorn(site: Site) -> Unit:
    words = ["-m", "gunicorn", *wsgiservers.GUNICORN_OPTIONS, "site_wsgi"]
    service = (
        "Type=notify\n"
        f"ExecStart={systemd_program(site.python)} {' '.join(map(quoted, words))}\n"
        "ExecReload=/bin/kill -HUP $MAINPID\n"
        "# Where site_wsgi.py is\n"
        f"WorkingDirectory={systemd_path(site.state)}\n"
        f"Environment={quoted(f'PATH={site.path}', setting=True)}\n"
    )
    return Unit(
        "cgikit-gunicorn", "CGI scripts in gunicorn", f"{site.host}:{site.port}", "", service
    )


def _user(site: Site) -> str:
    return systemd_path(site.user or "root")


def _group(site: Site) -> str:
    return systemd_path(site.group or "root")


def _home(site: Site) -> str:
    """Return the line about home directories, which are closed where nothing of ours is in one."""
    for path in (site.root, site.state, site.python, os.path.realpath(site.python), *site.cgikit):
        if path.startswith(HOMES):
            return "# ProtectHome=yes is left out: the scripts, or their Python, are in a home."
    return "# Scripts that have data in home directories: delete this line.\nProtectHome=yes"


def _text(site: Site, unit: Unit) -> str:
    named = [site.options[i + 1] for i, word in enumerate(site.options) if word == "--env"]
    return UNITS.format(
        unit=unit.name,
        what=unit.about,
        listen=unit.listen,
        access=unit.access,
        service=unit.service,
        user=_user(site),
        group=_group(site),
        values="".join(VALUE.format(name=systemd_path(name)) for name in named),
        sandbox=SANDBOX.format(home=_home(site)),
    )


def _start(site: Site, file: str) -> str:
    return f"sh {shell(file)}"


_SECRETS = """
    Secrets, such as the password of a database, belong in the EnvironmentFile that the unit names
    (docs/config.md, "Secrets").
    """

SYSTEMD = Recipe(
    "systemd: units of cgikit fastcgi, or of a persistent script. A shell script that installs them.",
    "systemd.sh",
    lambda site: _text(site, _script(site) if site.persistent else _fastcgi(site)),
    _start,
    answers=False,
    by_root=True,
    notes="""
        For the web server in front take "cgikit config nginx ROOT --snippet" (or apache-fastcgi,
        lighttpd-fastcgi, caddy) with the same --socket, --prefix and --user, and leave out its own
        command for the scripts' side.

        "systemctl reload" takes new code without losing a request (for a persistent script: "systemctl
        restart"); "journalctl -u" shows all that scripts write to their standard error.
        """
    + _SECRETS,
)
SYSTEMD_GUNICORN = Recipe(
    "systemd: units of gunicorn. A shell script that installs them.",
    "systemd-gunicorn.sh",
    lambda site: _text(site, _gunicorn(site)),
    _start,
    companion=("gunicorn", wsgiservers.FILE),
    by_root=True,
    notes="""
        Scripts are loaded once, when gunicorn starts: systemctl reload cgikit-gunicorn takes new code.
        """
    + _SECRETS,
)
