"""A login by CGI::Session, with files for the sessions, and CGI::Carp for what goes wrong."""

from .site import Program, Site
from .visit import Visit

SCRIPT = r"""#!/usr/bin/perl
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);
use CGI::Session;

my $q = CGI->new;
my $do = $q->param('do') // '';
die "told to\n" if $do eq 'die';
my $session = CGI::Session->new(undef, $q, {Directory => '{sessions}'}) or die CGI::Session->errstr;
if ($do eq 'login') {
    if (($q->param('password') // '') ne 'open sesame') {
        print $q->header(-status => '403 Forbidden'), "no\n";
        exit;
    }
    $session->param('user', scalar $q->param('user'));
    $session->expire('+1h');
    $session->flush;
    my $cookie = $q->cookie(CGISESSID => $session->id);
    print $q->redirect(-uri => $q->url(-absolute => 1), -cookie => $cookie);
    exit;
}
if ($do eq 'logout') {
    $session->delete;
    $session->flush;
    print $q->header, "bye\n";
    exit;
}
my $user = $session->param('user') // 'nobody';
print $session->header(-charset => 'utf-8'), 'user: ', $q->escapeHTML($user), "\n";
"""


def install(site: Site) -> None:
    """The script, and a directory for sessions."""
    sessions = site.keep("perl-sessions")
    site.script("login.pl", SCRIPT.replace("{sessions}", str(sessions)))


def visit(to: Visit) -> None:
    """A login that fails, one that does not, what it opens, and the logout."""
    page = "login.pl"
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask("nobody", page, *jar, has="nobody")
    to.ask("wrong", page, *jar, "--data", "do=login&user=Ada&password=x", status=403)
    login = "do=login&user=Ada+%3C&password=open+sesame"
    to.ask("login", page, *jar, "--data", login, status=302)
    to.ask("user", page, *jar, has="user: Ada &lt;")
    to.ask("head", page, *jar, "--head")
    to.ask("another visitor", page, has="nobody")
    to.ask("logout", page, *jar, "--data", "do=logout", has="bye")
    to.ask("nobody again", page, *jar, has="nobody")
    to.ask("dies", f"{page}?do=die", status=500, has="told to")


PROGRAM = Program(
    "cgisession",
    ("perl", "/usr/share/perl5/CGI/Session.pm"),
    install,
    visit,
    hide=(r"CGISESSID=(\w+)", r"\w{3}, \d\d[ -]\w{3}[ -]\d{4} [\d:]{8} GMT"),
)
