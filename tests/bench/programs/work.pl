# Hashes of arrays, strings, regular expressions and sorting; prints one checksum.
use strict;
use warnings;

my $scale = shift @ARGV;
my $sum   = 0;

sub add {
    $sum = ( $sum * 31 + unpack( "%32C*", $_[0] ) ) % 4294967296;
}

my %index;
for my $n ( 1 .. int( 150000 * $scale ) ) {
    my $key = "key" . ( $n * 31 % 40009 );
    push @{ $index{$key}{list} }, [ $n, "value $n", { n => $n } ];
    $index{$key}{text} .= "$n,";
    delete $index{ "key" . ( $n * 17 % 40009 ) } if $n % 4 == 0;
}
for my $key ( sort keys %index ) {
    add( $key . scalar( @{ $index{$key}{list} } ) . $index{$key}{text} );
}
undef %index;

my $text = join ' ', map { sprintf "%x:%d", $_ * 7919 % 1000003, $_ % 13 } 1 .. int( 120000 * $scale );
my %seen;
while ( $text =~ /([0-9a-f]{2})([0-9a-f]*):(\d+)/g ) {
    $seen{$1}{$3} .= $2;
}
for my $head ( sort keys %seen ) {
    add( join '|', map { "$_=" . substr( $seen{$head}{$_}, 0, 50 ) } sort keys %{ $seen{$head} } );
}

my @words = split / /, $text;
@words = sort { reverse($a) cmp reverse($b) } @words;
add($_) for @words;

sub tree {
    my $depth = shift;
    return $depth == 0 ? ["leaf"] : [ tree( $depth - 1 ), tree( $depth - 1 ), $depth ];
}

sub count {
    my $t = shift;
    return @$t == 1 ? 1 : 1 + count( $t->[0] ) + count( $t->[1] );
}
add( count( tree( 12 + $_ % 3 ) ) ) for 1 .. int( 10 * $scale + 0.5 );
printf "%08x\n", $sum;
