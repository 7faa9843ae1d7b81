"""systemd: units that keep the scripts running, with a socket that systemd makes.

What runs the scripts is `cgikit fastcgi`, a persistent script, or gunicorn. The sandbox is as tight as
CGI scripts of any language can bear; a comment in the unit gives the reason for each setting left out.
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
{service}# The user that runs the scripts. It may differ from the socket's, which systemd opens.
User={user}
Group={group}
Restart=on-failure
# Signal only the main process first: it lets running requests finish.
KillMode=mixed
TimeoutStopSec=90
UMask=0022
TasksMax=512

# Secrets, as lines NAME=value, in a file of mode 0600 that root owns: systemd reads it, and scripts
# need no access to it. "-" means that it may be missing.
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
# Only the web server's user may connect. If it is another one, the server answers 502 or 503.
SocketUser={user}
SocketGroup={group}
SocketMode=0600
DirectoryMode=0755
"""

SANDBOX = """\
ProtectControlGroups=yes
ProtectSystem=full
{home}
# Scripts see only the processes of their own user.
ProtectProc=invisible
# Left out, because cgikit cannot know what your scripts need: PrivateTmp=yes breaks scripts that
# share files in /tmp with other programs; ProtectSystem=strict needs ReadWritePaths= for every
# directory that scripts write to; MemoryDenyWriteExecute=yes breaks programs with a JIT (PHP, node).

# Any of the following lines stops set-uid and set-gid programs from gaining rights. Postfix accepts
# mail that way (postdrop, started by sendmail): delete them all if your scripts send mail.
# If something else stops working, delete the line that forbids it, then systemctl daemon-reload.
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
# The value of {name} for the scripts, if it is not secret:
#Environment="{name}=..."
"""

#: The directories that ProtectHome= hides.
HOMES = tuple(f"/{name}/" for name in ("home", "root", "run/user"))


class Unit(NamedTuple):
    """What differs between the units."""

    name: str  # must not be that of a system service
    about: str
    listen: str
    access: str  # the lines about who may connect
    service: str  # the lines that start the service


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
        "# The script's own directory, as under CGI\n"
        f"WorkingDirectory={systemd_path(os.path.dirname(site.root))}\n"
        "# #!/usr/bin/env python3 searches this, the directory of the Python with cgikit first\n"
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
    """Return the line about home directories, which are hidden if nothing here is in one."""
    for path in (site.root, site.state, site.python, os.path.realpath(site.python), *site.cgikit):
        if path.startswith(HOMES):
            return "# ProtectHome=yes is left out: the scripts or their Python are in a home directory."
    return "# If your scripts have data in home directories, delete this line.\nProtectHome=yes"


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
    (page deploy/systemd, "Secrets").
    """

SYSTEMD = Recipe(
    "systemd: units of cgikit fastcgi, or of a persistent script. A shell script that installs them.",
    "systemd.sh",
    lambda site: _text(site, _script(site) if site.persistent else _fastcgi(site)),
    _start,
    answers=False,
    by_root=True,
    notes="""
        For the web server in front use "cgikit config nginx ROOT --snippet" (or apache-fastcgi,
        lighttpd-fastcgi, caddy) with the same --socket, --prefix and --user, without the command that
        it shows for the scripts.

        "systemctl reload" loads new code without losing a request (for a persistent script: "systemctl
        restart"); "journalctl -u" shows the scripts' standard error.
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
        Scripts are loaded once, when gunicorn starts: systemctl reload cgikit-gunicorn loads new code.
        """
    + _SECRETS,
)
