"""A script that leaves its form, its fields, uploads and cookies to CGI.pm."""

import random

from .site import Program, Site
from .visit import Visit

SCRIPT = r"""#!/usr/bin/perl -T
use strict;
use warnings;
use CGI qw(-utf8);
use Digest::MD5;

$CGI::POST_MAX = 8 * 1024 * 1024;
my $q = CGI->new;
binmode STDOUT, ':encoding(UTF-8)';
if (my $error = $q->cgi_error) {
    print $q->header(-status => $error, -type => 'text/plain'), "$error\n";
    exit;
}
my $to = $q->url_param('to') // '';
if ($to eq 'away') {
    print $q->redirect('https://example.org/');
} elsif ($to eq 'here') {
    print $q->redirect(-uri => $q->url(-absolute => 1) . '?name=Ada', -status => '303 See Other');
} elsif ($to eq 'file') {
    print $q->header(-type => 'text/csv', -attachment => 'a b.csv', -charset => ''), "1,2\r\n";
} elsif ($to eq 'gone') {
    print $q->header(-status => '410 Gone', -type => 'text/plain'), "gone\n";
} else {
    my $seen = $q->cookie('seen') // 0;
    my $cookie = $q->cookie(-name => 'seen', -value => $seen + 1, -httponly => 1, -path => '/');
    my $other = $q->cookie(-name => 'tint', -value => ['red', 'a b;c'], -expires => '+1h');
    print $q->header(-cookie => [$cookie, $other], -expires => 'now', -X_Seen => $seen);
    print $q->start_html('Form'), $q->start_form(-action => $q->url(-relative => 1));
    print $q->textfield('name', 'nobody'), $q->textarea('text');
    print $q->checkbox_group(-name => 'colour', -values => ['red', 'green', "bl\x{fc}e"]);
    print $q->popup_menu('size', [1, 2, 3]), $q->filefield('file'), $q->submit, $q->end_form;
    foreach my $name ($q->multi_param) {
        next if $name eq 'file';
        print $q->p($q->escapeHTML("$name: " . join '|', $q->multi_param($name)));
    }
    foreach my $upload ($q->upload('file')) {
        my $given = $q->param('file');
        my $sum = Digest::MD5->new->addfile($upload)->hexdigest;
        my $type = $q->uploadInfo($given)->{'Content-Type'};
        print $q->p($q->escapeHTML("file: $given, $type, " . (-s $upload) . ", $sum"));
    }
    my @said = ($q->request_method, $q->path_info, $q->query_string, $q->self_url, $q->script_name);
    print $q->p($q->escapeHTML(join '|', map { $_ // '' } @said));
    print $q->p($q->escapeHTML(join '|', sort grep { /X_/ } $q->http)), $q->end_html;
}
"""


def install(site: Site) -> None:
    """The script, and what is sent to it."""
    site.script("cgipm.pl", SCRIPT)
    site.keep("upload.bin", random.Random(4).randbytes(5_000_000))


def visit(to: Visit) -> None:
    """Fields that stick, uploads, cookies that come back, and answers of every kind."""
    page = "cgipm.pl"
    upload = f"file=@{to.site.state / 'upload.bin'};filename=a b ü.bin;type=image/x-test"
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask("form", page, has="nobody")
    to.ask("head", page, "--head")
    to.ask("path", f"{page}/a/b%20c%C3%BC?name=A%C3%BC&colour=red;colour=green", has="/a/b c")
    to.ask("keywords", f"{page}?one+two", has="keywords")
    to.ask("sticky", page, "--data", "name=Gr%C3%BC%C3%9Fe+%3Cb%3E&colour=red&size=2", has="Grüße")
    to.ask("query and body", f"{page}?name=query", "--data", "name=body", has="name: body")
    to.ask("upload", page, "--form", "name=Ada", "--form", upload, has="image/x-test, 5000000")
    to.ask("upload of nothing", page, "--form", "file=;filename=x")
    to.ask(
        "chunked", page, "--form", upload, "--header", "Transfer-Encoding: chunked", has="5000000"
    )
    to.ask("cookie", page, *jar)
    to.ask("cookie again", page, *jar, has="Form")
    to.ask("away", f"{page}?to=away", status=302)
    to.ask("here", f"{page}?to=here", "--data", "a=b", status=303)
    to.ask("followed", f"{page}?to=here", "--location", "--data", "a=b", has="Ada")
    to.ask("file", f"{page}?to=file", has="1,2")
    to.ask("gone", f"{page}?to=gone", status=410)
    to.ask("put", page, "--request", "PUT", "--data", "raw", "--header", "Content-Type: text/plain")
    to.ask("fields", page, "--header", "X-Test: a", "--header", "X-Test: b", has="X_TEST")


def beyond(to: Visit) -> None:
    """A body that is refused and not read: mod_cgid loses the answer with the connection."""
    upload = f"file=@{to.site.state / 'upload.bin'}"
    to.ask("too large", "cgipm.pl", "--form", upload, "--form", upload, status=413, has="413")


PROGRAM = Program(
    "cgipm",
    ("perl",),
    install,
    visit,
    beyond=beyond,
    hide=(r"\w{3}, \d\d[ -]\w{3}[ -]\d{4} [\d:]{8} GMT",),
)
