# CGI.pm's own functions for fields, which remember too.
use strict;
use warnings;
use CGI;

my $q = CGI->new;
print $q->header(-type => 'text/html', -charset => 'utf-8'), "<h1>Sign up</h1>\n",
    $q->start_form(-action => $q->script_name),
    'Name ', $q->textfield(-name => 'name'),
    'E-mail ', $q->textfield(-name => 'email'),
    'Age ', $q->textfield(-name => 'age'),
    'Colour ', $q->popup_menu(-name => 'colour', -values => ['red', 'green', 'blue']),
    'Size ', $q->radio_group(-name => 'size', -values => ['s', 'm', 'l']),
    $q->checkbox(-name => 'news', -label => 'News'),
    $q->checkbox(-name => 'terms', -label => 'Terms'),
    'Note ', $q->textarea(-name => 'note'),
    $q->submit(-value => 'Send'), $q->end_form;
