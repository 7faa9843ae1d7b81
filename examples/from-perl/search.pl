#!/usr/bin/perl
# search.pl: searches the pages of a site for words.
use strict;
use warnings;
use CGI qw(:standard unescapeHTML);
use CGI::Carp qw(fatalsToBrowser);
use File::Find;

my $dir = 'docs';    # where the pages are, as a directory and as a URL

my @words = split ' ', param('words') || '';
my $all   = (param('match') || 'all') eq 'all';
my $case  = param('case');

print header(-charset => 'utf-8'), start_html('Search'), h1('Search'),
    start_form(-method => 'get', -enctype => 'application/x-www-form-urlencoded'),
    p('Words', textfield(-name => 'words', -size => 40)),
    p(radio_group(
        -name   => 'match',
        -values => ['all', 'any'],
        -labels => { all => 'All of them', any => 'Any of them' },
    )),
    p(checkbox(-name => 'case', -value => 1, -label => 'Upper and lower case differ')),
    submit(-name => 'go', -value => 'Search'), end_form;
if (@words) {
    my @found = search();
    print h2(scalar(@found) . ' found');
    print ol(map { li(a({ -href => $_->[0] }, $_->[1]), br, $_->[2]) } @found) if @found;
}
print end_html;

# Returns URL, title and an excerpt of each page that matches, as HTML.
sub search {
    my @files;
    find({ wanted => sub { push @files, $_ if /\.html?$/ }, no_chdir => 1 }, $dir);
    my @patterns = map { $case ? qr/\Q$_\E/ : qr/\Q$_\E/i } @words;
    my @found;
    foreach my $file (sort @files) {
        open(my $fh, '<', $file) or next;
        my $html = do { local $/; <$fh> };
        close($fh);
        my $title = $html =~ m{<title>(.*?)</title>}is ? unescapeHTML($1) : $file;
        $html =~ s{<head>.*?</head>}{}is;
        $html =~ s/<[^>]*>/ /g;
        my $text = unescapeHTML($html);
        $text =~ s/\s+/ /g;
        my @hits = grep { $text =~ $_ } @patterns;
        next unless $all ? @hits == @patterns : @hits;
        $text =~ /(.{0,30}$hits[0].{0,30})/;
        push @found, [$file, escapeHTML($title), '... ' . escapeHTML($1) . ' ...'];
    }
    return @found;
}
