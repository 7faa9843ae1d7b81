#!/usr/bin/perl
# cart.pl: a shop with a cart in the session, and orders in a file.
use strict;
use warnings;
use CGI;
use CGI::Carp qw(fatalsToBrowser);
use CGI::Session;
use Fcntl qw(:flock);

my $orders = 'data/orders.txt';
my %goods  = (    # by number: name, price in cents
    101 => ['Camel, plush',           1450],
    102 => ['Mug "use strict"',       890],
    103 => ['Pearls & oysters (DVD)', 1995],
);

my $q       = CGI->new;
my $session = CGI::Session->new('driver:File', $q, { Directory => 'data/sessions' })
    or die CGI::Session->errstr;
my $cart    = $session->param('cart') || {};    # number => pieces
my $do      = $q->param('do') || '';
my $problem = '';

if ($do eq 'Add') {
    my $number = $q->param('number') || '';
    $cart->{$number}++ if $goods{$number};
    keep();
}
elsif ($do eq 'Change') {
    foreach my $number (keys %$cart) {
        my $pieces = $q->param("pieces$number");
        next unless defined $pieces && $pieces =~ /^\d{1,2}$/;
        $pieces > 0 ? ($cart->{$number} = $pieces) : delete $cart->{$number};
    }
    keep();
}
elsif ($do eq 'Order') {
    $problem = 'Please enter your address.' if ($q->param('address') || '') !~ /\S/;
    $problem = 'The cart is empty.' unless %$cart;
    if (!$problem) {
        order();
        $cart = {};
        keep('?ordered=1');
    }
}
print $session->header(-charset => 'utf-8'), $q->start_html('Shop'), $q->h1('Shop');
print $q->p('Thank you for your order.') if $q->url_param('ordered');
print $q->p($problem) if $problem;
foreach my $number (sort keys %goods) {
    print $q->start_form(-action => $q->url), $q->escapeHTML($goods{$number}[0]), ' ',
        money($goods{$number}[1]), $q->hidden(-name => 'number', -value => $number, -override => 1),
        $q->submit('do', 'Add'), $q->end_form;
}
print $q->h2('Cart'), $q->start_form(-action => $q->url);
my $total = 0;
foreach my $number (sort keys %$cart) {
    my $price = $goods{$number}[1] * $cart->{$number};
    print $q->p($q->escapeHTML($goods{$number}[0]), $q->textfield(
        -name => "pieces$number", -value => $cart->{$number}, -size => 2, -override => 1
    ), money($price));
    $total += $price;
}
print $q->p('Total', money($total)),
    $q->p($q->submit('do', 'Change')),
    $q->p('Address', $q->textarea(-name => 'address', -rows => 3, -columns => 40)),
    $q->submit('do', 'Order'), $q->end_form, $q->end_html;

sub money { return sprintf '%d.%02d', $_[0] / 100, $_[0] % 100 }

sub order {
    (my $address = $q->param('address')) =~ s/\s+/ /g;
    open(my $fh, '>>', $orders) or die "Cannot open $orders: $!";
    flock($fh, LOCK_EX) or die "Cannot lock $orders: $!";
    print $fh join("\t", time, $address, map { "$cart->{$_} x $_" } sort keys %$cart), "\n";
    close($fh) or die "Cannot write $orders: $!";
}

# Keeps the cart and shows it.
sub keep {
    $session->param('cart', $cart);
    $session->flush;
    my $cookie = $q->cookie(-name => $session->name, -value => $session->id);
    print $q->redirect(-uri => $q->url . ($_[0] || ''), -cookie => $cookie);
    exit;
}
