"""docs/deploy/nginx.md and its sisters on Debian's own configuration, as an admin finds it.

Each test sees the machine's files through overlays that go with its namespaces: what it changes below
/etc, /srv and /var is in memory, and no process is left.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from house import ROOT
from requirement import lack, need

from .interpreter import Interpreter

LIMIT = 100  # seconds until a test's namespaces are ended

PREPARE = """\
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs {memory}
for place in etc srv var; do
  mkdir -p {memory}/$place.upper {memory}/$place.work
  layers=lowerdir=/$place,upperdir={memory}/$place.upper,workdir={memory}/$place.work
  mount -t overlay overlay -o $layers /$place
done
mount -t tmpfs tmpfs /run
ip link set lo up
install -d /srv/site/cgi-bin
install -d -o www-data -g www-data /srv/site/cgi-bin/data
install -m 755 {examples}/hello.py {examples}/hits.py /srv/site/cgi-bin
PATH={bin}:$PATH
snippet() {{ cgikit config "$@" --snippet > /srv/snippet; }}
# What the first lines of a snippet say: directories, and the command that runs the scripts.
scripts() {{
  sed -n 's/^# *\\(install -d .*\\)/\\1/p' /srv/snippet > /srv/prepare
  sh -e /srv/prepare
  sed -n 's/^# *\\(.*cgikit fastcgi .*\\)/exec \\1/p' /srv/snippet > /srv/start
  sh /srv/start & running="$running $!"
  until [ -S /var/lib/cgikit/run/cgikit.sock ]; do sleep 0.05; done
}}
check() {{
  cgikit check --no-run --user "$1" --path {bin}:/usr/bin:/bin /srv/site/cgi-bin
}}
ask() {{
  patiently="--silent --show-error --retry 40 --retry-connrefused --retry-delay 1 --max-time 20"
  curl $patiently "$1hello.py?name=Ada"
  curl $patiently "$1hits.py"
}}
running=""
"""

NGINX = """\
check www-data
snippet nginx /srv/site/cgi-bin
scripts
sed -i '/server_name _;/r /srv/snippet' /etc/nginx/sites-enabled/default
nginx -q -t
nginx -g 'daemon off;' & running="$running $!"
ask http://127.0.0.1/cgi-bin/
"""

APACHE_CGID = """\
check www-data
snippet apache-cgid /srv/site/cgi-bin
mkdir -p /run/lock
sed -i '/<VirtualHost/r /srv/snippet' /etc/apache2/sites-enabled/000-default.conf
a2enmod --quiet cgid
a2disconf --quiet serve-cgi-bin || true
apachectl -D FOREGROUND & running="$running $!"
ask http://127.0.0.1/cgi-bin/
"""

APACHE_FASTCGI = """\
check www-data
snippet apache-fastcgi /srv/site/cgi-bin
scripts
mkdir -p /run/lock
sed -i '/<VirtualHost/r /srv/snippet' /etc/apache2/sites-enabled/000-default.conf
a2enmod --quiet proxy_fcgi
apachectl -D FOREGROUND & running="$running $!"
ask http://127.0.0.1/cgi-bin/
"""

LIGHTTPD_FASTCGI = """\
check www-data
snippet lighttpd-fastcgi /srv/site/cgi-bin
scripts
cp /srv/snippet /etc/lighttpd/conf-available/20-cgikit.conf
lighty-enable-mod fastcgi cgikit >/dev/null
install -d -o www-data -g www-data /run/lighttpd
lighttpd -D -f /etc/lighttpd/lighttpd.conf & running="$running $!"
ask http://127.0.0.1/cgi-bin/
"""

LIGHTTPD_CGI = """\
check www-data
snippet lighttpd-cgi /srv/site/cgi-bin
to=/etc/lighttpd/conf-available/20-cgikit.conf
{ echo 'server.modules += ( "mod_cgi", "mod_setenv" )'; cat /srv/snippet; } > $to
lighty-enable-mod cgikit >/dev/null
install -d -o www-data -g www-data /run/lighttpd
lighttpd -D -f /etc/lighttpd/lighttpd.conf & running="$running $!"
ask http://127.0.0.1/cgi-bin/
"""

# Without systemd, which lets Debian's Caddy use port 80, it takes another one.
CADDY = """\
install -d -o caddy -g caddy /srv/site/cgi-bin/data
check caddy
snippet caddy /srv/site/cgi-bin --user caddy
scripts
sed -i -e '/^:80 {/r /srv/snippet' -e 's/^:80 {/:8080 {/' /etc/caddy/Caddyfile
HOME=/var/lib/caddy setpriv --reuid=caddy --regid=caddy --init-groups \\
  caddy run --config /etc/caddy/Caddyfile & running="$running $!"
ask http://127.0.0.1:8080/cgi-bin/
"""

#: The configuration: the program, what its page says to do, and the page.
PAGES = {
    "nginx": ("nginx", NGINX, "nginx"),
    "apache-cgid": ("apache2", APACHE_CGID, "apache"),
    "apache-fastcgi": ("apache2", APACHE_FASTCGI, "apache"),
    "lighttpd-fastcgi": ("lighttpd", LIGHTTPD_FASTCGI, "lighttpd"),
    "lighttpd-cgi": ("lighttpd", LIGHTTPD_CGI, "lighttpd"),
    "caddy": ("caddy", CADDY, "caddy"),
}


def in_overlays(script: str, memory: Path) -> "subprocess.CompletedProcess[str]":
    """Run a shell script as root in namespaces of its own: mounts, network, processes."""
    if os.geteuid() != 0:
        lack("root, who may mount (run the tests as root)")
    need("ip")
    command = [need("unshare"), "--mount", "--net", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        lack("namespaces and mounts (a container may be forbidden them)")
    return subprocess.run(
        [*command, "--kill-child", "sh", "-c", script + "\nkill $running\nwait || true\n"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, cwd=memory,
    )  # fmt: skip


@pytest.mark.parametrize("config", PAGES)
def test_the_page_leads_to_an_answer_on_debian_s_configuration(
    config: str, script_interpreter: Interpreter, tmp_path: Path
) -> None:
    """`lighty-enable-mod cgi`, and the snippet beside it, are two `cgi.assign` for one path."""
    program, steps, _ = PAGES[config]
    need(program)
    prepare = PREPARE.format(
        memory=shlex.quote(str(tmp_path)),
        examples=shlex.quote(str(ROOT / "examples" / "cgi-bin")),
        bin=shlex.quote(str(script_interpreter.directory / "bin")),
    )
    done = in_overlays(prepare + steps, tmp_path)
    assert "nothing is wrong" in done.stdout, done.stdout
    assert "Hello, Ada!" in done.stdout, done.stderr
    assert "You are visitor number <b>000001</b>" in done.stdout, done.stderr


@pytest.mark.parametrize("config", PAGES)
def test_the_page_says_what_the_test_does(config: str) -> None:
    _, steps, page = PAGES[config]
    text = (ROOT / "docs" / "deploy" / f"{page}.md").read_text()
    assert f"cgikit config {config} /srv/site/cgi-bin --snippet" in text
    assert "cgikit check --no-run --user" in text
    for command in re.findall(r"^(a2\w+|lighty-enable-mod)( --quiet)?([\w ]+)", steps, re.M):
        assert command[0] + command[2].rstrip() in text
