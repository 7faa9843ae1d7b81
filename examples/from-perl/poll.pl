#!/usr/bin/perl
# poll.pl: a poll; who has voted gets a cookie and sees the result.
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);
use Fcntl qw(:DEFAULT :flock);

my $file     = 'data/poll.txt';     # a line for each choice: votes, choice
my $question = 'Which language do you write most of your scripts in?';
my @choices  = ('Perl', 'Python', 'Ruby', 'C & C++', 'The shell');

my $q = CGI->new;
my $voted  = $q->cookie('voted');
my $choice = $q->param('choice');
if ($q->request_method eq 'POST' && defined $choice && !$voted) {
    if (!grep { $_ eq $choice } @choices) {
        print $q->header(-status => '400 Bad Request'), 'There is no such choice.';
        exit;
    }
    votes($choice);
    my $cookie = $q->cookie(-name => 'voted', -value => 1, -expires => '+30d');
    print $q->redirect(-uri => $q->url, -cookie => $cookie);
    exit;
}
print $q->header(-charset => 'utf-8'), $q->start_html('Poll'), $q->h1($q->escapeHTML($question));
print $voted ? result() : ballot();
print $q->end_html;

sub ballot {
    return $q->start_form,
        $q->radio_group(-name => 'choice', -values => \@choices, -default => '-', -override => 1,
            -linebreak => 1),
        $q->submit(-value => 'Vote'), $q->end_form;
}

sub result {
    my %votes = votes();
    my $all = 0;
    $all += $_ for values %votes;
    my @rows = map {
        my $votes = $votes{$_} || 0;
        my $share = $all ? sprintf '%.0f %%', 100 * $votes / $all : '-';
        $q->Tr($q->td([$q->escapeHTML($_), $votes, $share]));
    } @choices;
    return $q->table({ -border => 1 }, $q->Tr($q->th(['Choice', 'Votes', 'Share'])), @rows),
        $q->p("$all votes. Thank you for yours.");
}

# Returns the votes by choice, after one more for a choice that is given.
sub votes {
    my $new = shift;
    sysopen(my $fh, $file, O_RDWR | O_CREAT) or die "Cannot open $file: $!";
    flock($fh, LOCK_EX) or die "Cannot lock $file: $!";
    my %votes = map { chomp; reverse split /\t/, $_, 2 } <$fh>;
    if (defined $new) {
        $votes{$new}++;
        seek($fh, 0, 0);
        truncate($fh, 0);
        print $fh map { "$votes{$_}\t$_\n" } sort keys %votes;
    }
    close($fh) or die "Cannot write $file: $!";
    return %votes;
}
