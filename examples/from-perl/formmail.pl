#!/usr/bin/perl
# formmail.pl: sends a form by mail, to addresses that are listed here and to no others.
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);

$CGI::POST_MAX = 50_000;
my $sendmail = '/usr/sbin/sendmail';
my $from     = 'www@example.org';
my %to       = (sales => 'sales@example.org', support => 'help@example.org');
my @topics   = ('Perl', 'Python', 'The web');

my $q = CGI->new;
my %problem;
if ($q->request_method eq 'POST') {
    %problem = check();
    if (!%problem) {
        post();
        print $q->redirect($q->url . '?sent=1');
        exit;
    }
}
print $q->header(-charset => 'utf-8'), $q->start_html('Write to us'), $q->h1('Write to us');
print $q->p('Thank you. Your message is on its way.') if $q->url_param('sent');
print $q->start_form(-action => $q->url),
    $q->p('To', $q->popup_menu('to', [sort keys %to]), problem('to')),
    $q->p('Your name', $q->textfield('name'), problem('name')),
    $q->p('Your address', $q->textfield('email'), problem('email')),
    $q->p('Subject', $q->textfield('subject'), problem('subject')),
    $q->p('Topics', $q->checkbox_group('topics', \@topics)),
    $q->p('Message', $q->textarea('message', '', 8, 60), problem('message')),
    $q->p($q->checkbox(-name => 'copy', -value => 'on', -label => 'Send me a copy')),
    $q->submit(-value => 'Send'), $q->end_form, $q->end_html;

sub check {
    my %found;
    $found{email} = 'Please enter an e-mail address, such as name@example.org.'
        if ($q->param('email') || '') !~ /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+\z/;
    foreach my $name (qw(name email message)) {
        $found{$name} = 'Please fill in this field.' if ($q->param($name) || '') !~ /\S/;
    }
    # A line end in one of these would begin a header field of the visitor's.
    foreach my $name (qw(name email subject)) {
        $found{$name} = 'Please write this in one line, without control characters.'
            if ($q->param($name) || '') =~ /[[:cntrl:]]/;
    }
    $found{to} = 'Please choose one of the options listed.' unless $to{ $q->param('to') || '' };
    return %found;
}

sub problem {
    my $name = shift;
    return $problem{$name} ? $q->span({ -class => 'error' }, $problem{$name}) : '';
}

sub post {
    my %field = map { $_ => join ', ', $q->multi_param($_) } $q->multi_param;
    my $subject = $field{subject} =~ /\S/ ? $field{subject} : 'No subject';
    (my $message = $field{message}) =~ s/\r\n?/\n/g;
    open(my $mail, '|-', $sendmail, '-t', '-oi') or die "Cannot run $sendmail: $!";
    print $mail "From: $from\nTo: $to{$field{to}}\n";
    print $mail "Cc: $field{email}\n" if $field{copy};
    print $mail "Reply-To: $field{email}\nSubject: $subject\n";
    print $mail "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n";
    print $mail "Name: $field{name}\nTopics: ", $field{topics} || '-', "\n\n$message\n";
    close($mail) or die "$sendmail failed: $?";
}
