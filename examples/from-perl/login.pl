#!/usr/bin/perl
# login.pl: a page for members, with CGI::Session.
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);
use CGI::Session;
use Digest::SHA qw(sha256_hex);

my $users = 'data/users.txt';    # a line for each: name, salt, SHA-256 of salt and password

my $q       = CGI->new;
my $session = CGI::Session->new('driver:File', $q, { Directory => 'data/sessions' })
    or die CGI::Session->errstr;
$session->expire('+30m');
my $do      = $q->param('do') || '';
my $problem = '';
if ($do eq 'Log in') {
    if (known($q->param('name') || '', $q->param('password') || '')) {
        $session->param('name', scalar $q->param('name'));
        $session->clear('visits');
        done();
    }
    $problem = 'The name or the password is wrong.';
}
elsif ($do eq 'Log out') {
    $session->delete;
    done();
}
print $session->header(-charset => 'utf-8');
if (my $name = $session->param('name')) {
    my $visits = ($session->param('visits') || 0) + 1;
    $session->param('visits', $visits);
    print $q->start_html('Members'), $q->h1('Hello, ' . $q->escapeHTML($name)),
        $q->p("You have seen this page $visits times."),
        $q->start_form, $q->submit('do', 'Log out'), $q->end_form;
}
else {
    print $q->start_html('Log in'), $q->h1('Log in'), $q->p($problem),
        $q->start_form, $q->p('Name', $q->textfield('name')),
        $q->p('Password', $q->password_field(-name => 'password', -override => 1)),
        $q->submit('do', 'Log in'), $q->end_form;
}
print $q->end_html;
$session->flush;

sub known {
    my ($name, $password) = @_;
    open(my $fh, '<', $users) or die "Cannot open $users: $!";
    while (<$fh>) {
        chomp;
        my ($known, $salt, $hash) = split /:/;
        return sha256_hex($salt . $password) eq $hash if $known eq $name;
    }
    return 0;
}

# Sends the visitor to the page that shows what has become of it.
sub done {
    my $cookie = $q->cookie(-name => $session->name, -value => $session->id);
    $session->flush;
    print $q->redirect(-uri => $q->url, -cookie => $cookie);
    exit;
}
