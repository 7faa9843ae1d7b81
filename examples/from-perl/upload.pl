#!/usr/bin/perl
# upload.pl: takes pictures, and lists those that were sent.
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);
use Fcntl qw(:DEFAULT);
use File::Copy;

$CGI::POST_MAX = 200 * 1024;
my $dir   = 'data/pictures';
my %types = ('image/gif' => 'gif', 'image/jpeg' => 'jpg', 'image/png' => 'png');

my $q = CGI->new;
if (my $error = $q->cgi_error) {
    print $q->header(-status => $error), $q->start_html('Too large'), $q->h1('Too large'),
        $q->p('A picture may have up to 200 KB.'), $q->end_html;
    exit;
}
my ($problem, $kept) = $q->request_method eq 'POST' ? receive() : ();
$q->delete('name') if $kept;
print $q->header(-charset => 'utf-8'), $q->start_html('Pictures'), $q->h1('Pictures');
print $q->p($q->escapeHTML($problem)) if $problem;
print $q->p($q->escapeHTML("$kept is here. Thank you.")) if $kept;
print $q->start_multipart_form,
    $q->p('Picture', $q->filefield(-name => 'picture')),
    $q->p('Name', $q->textfield(-name => 'name', -maxlength => 40)),
    $q->submit(-value => 'Send'), $q->end_form;
opendir(my $dh, $dir) or die "Cannot read $dir: $!";
my @names = sort grep { !/^\./ } readdir $dh;
print $q->ul(map { $q->li($q->escapeHTML($_), -s "$dir/$_", 'bytes') } @names) if @names;
print $q->end_html;

# Keeps the picture; returns what is wrong with it, or the name that it has now.
sub receive {
    my $fh = $q->upload('picture') or return 'Please choose a picture.';
    my $info = $q->uploadInfo(scalar $q->param('picture')) || {};
    my $ending = $types{ $info->{'Content-Type'} || '' } or return 'Only GIF, JPEG and PNG, please.';
    my $name = $q->param('name') || $q->param('picture');
    $name =~ s{.*[/\\]}{}s;          # Internet Explorer sends the whole path
    $name =~ s/\.\w+$//;
    $name =~ s/[^A-Za-z0-9_-]+/_/g;
    return 'The name has no letter and no digit.' unless $name =~ /[A-Za-z0-9]/;
    my $path = "$dir/$name.$ending";
    sysopen(my $out, $path, O_WRONLY | O_CREAT | O_EXCL) or return "There is a $name.$ending already.";
    binmode $out;
    copy($fh, $out) && close($out) or die "Cannot write $path: $!";
    return ('', "$name.$ending");
}
