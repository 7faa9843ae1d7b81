"""systemd: units that keep `cgikit fastcgi` running, with a socket that systemd makes."""

import os
import shutil

from .quoting import shell, systemd_path, systemd_program
from .quoting import systemd as quoted
from .recipe import Recipe
from .site import Site

UNITS = """\
#!/bin/sh
set -e
cat > /etc/systemd/system/cgikit-fastcgi.socket <<'END'
[Unit]
Description=Socket of cgikit fastcgi

[Socket]
ListenStream={socket}
# Only this user, the web server's, may connect: with another one it answers 502 or 503.
SocketUser={user}
SocketGroup={group}
SocketMode=0600
DirectoryMode=0755

[Install]
WantedBy=sockets.target
END
cat > /etc/systemd/system/cgikit-fastcgi.service <<'END'
[Unit]
Description=CGI scripts over FastCGI
Requires=cgikit-fastcgi.socket
After=network.target

[Service]
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
{environment}# The scripts' user. It need not be the socket's: systemd has opened that already.
User={user}
Group={group}
Restart=on-failure
# First the master alone: it lets requests that run come to their end.
KillMode=mixed
TimeoutStopSec=90
UMask=0022
TasksMax=512
ProtectControlGroups=yes
ProtectSystem=full
# With any of the following no program gains rights by its set-uid or set-gid bit. Postfix takes
# mail that way (postdrop, which sendmail starts): delete them all if your scripts send mail.
NoNewPrivileges=yes
PrivateDevices=yes
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now cgikit-fastcgi.socket
"""

#: For each --env.
VALUE = """\
# The value that scripts get of {name}:
#Environment="{name}=..."
"""


def _units(site: Site) -> str:
    program = shutil.which(site.cgikit[0]) or site.cgikit[0]
    words = [*site.cgikit[1:], "fastcgi", site.root, *site.mounted(), *site.options]
    named = [site.options[i + 1] for i, word in enumerate(site.options) if word == "--env"]
    return UNITS.format(
        socket=systemd_path(site.socket),
        user=systemd_path(site.user or "root"),
        group=systemd_path(site.group or "root"),
        environment="".join(VALUE.format(name=systemd_path(name)) for name in named),
        command=" ".join([systemd_program(os.path.abspath(program)), *map(quoted, words)]),
    )


SYSTEMD = Recipe(
    "systemd: socket and service of cgikit fastcgi. A shell script that installs both, for root.",
    "systemd.sh",
    _units,
    lambda site, file: f"sh {shell(file)}",
    answers=False,
    notes="""
        For the web server in front take "cgikit config nginx ROOT --snippet" (or apache-fastcgi,
        lighttpd-fastcgi, caddy) with the same --socket, --prefix and --user, and leave out its own
        command for the scripts' side.

        systemctl reload cgikit-fastcgi takes new code without losing a request; journalctl -u
        cgikit-fastcgi shows what scripts write to their standard error.
        """,
)
