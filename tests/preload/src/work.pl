# work.pl ROUNDS - strings, hashes, regular expressions, sorting, closures, destructors, fork and threads.
# Prints digests only, the same in every run.
use strict;
use warnings;
use Config;
use Digest::SHA qw(sha1_hex);
use List::Util qw(sum);
use Storable qw(freeze thaw dclone);

my $rounds = shift // 1;

# A generator of our own: the same numbers everywhere.
my $state = 12345;
sub number { $state = ($state * 1103515245 + 12345) % 2147483648; return ($state >> 8) % $_[0] }

sub words {
    my ($count) = @_;
    return map { join '', map { chr(97 + number(26)) } 1 .. 1 + number(40) } 1 .. $count;
}

sub digest { return sha1_hex(join "\0", @_) }

sub hashes {
    my %seen;
    my @words = words(20000);
    push @{ $seen{ substr $_, 0, 2 } }, $_ for @words;
    delete $seen{$_} for grep { number(3) == 0 } sort keys %seen;
    return digest(map { $_, sort @{ $seen{$_} } } sort keys %seen);
}

sub strings {
    my $text = join ' ', words(5000);
    my $out  = '';
    for my $step (1 .. 40) {
        $out .= substr $text, number(length $text), number(4000);
        $out =~ s/([aeiou])([a-z])/$2$1/g if $step % 8 == 0;
        $out = substr $out, length($out) / 2 if length $out > 60_000;
    }
    my $count = () = $text =~ /\b(\w)\w*\1\b/g;
    my @big   = map { $_ x (1 << $_ % 18) } 1 .. 60;
    return digest($out, $count, map { length } @big);
}

sub structures {
    my $tree;
    for my $word (words(8000)) {
        my $at = \$tree;
        while ($$at) { $at = $word lt $$at->{word} ? \$$at->{left} : \$$at->{right} }
        $$at = { word => $word, left => undef, right => undef };
    }
    my $copy = thaw(freeze(dclone($tree)));
    my (@order, @stack);
    my $node = $copy;
    while ($node || @stack) {
        while ($node) { push @stack, $node; $node = $node->{left} }
        $node = pop @stack;
        push @order, $node->{word};
        $node = $node->{right};
    }
    return digest(@order);
}

sub closures {
    my @work = map { my $n = $_; sub { return $n * $_[0] + length "x$n" } } 1 .. 20000;
    return digest(sum map { $_->(3) } sort { $a->(1) <=> $b->(1) } @work);
}

our $destroyed = 0;
sub Node::new { return bless { name => $_[1] }, $_[0] }
sub Node::DESTROY { $main::destroyed++; return }

sub destructors {
    for my $i (1 .. 5000) { my $node = Node->new("n$i"); $node->{other} = Node->new("m$i") }
    return digest($destroyed);
}

sub children {
    my @lines;
    for my $child (1 .. 10) {
        my $pid = open my $pipe, '-|' // die "fork: $!";
        if (!$pid) { print digest(words(500 + $child)), "\n"; exit 0 }
        push @lines, <$pipe>;
        close $pipe or die "child $child: status $?";
    }
    return digest(@lines, `echo from a shell`);
}

sub threaded {
    return 'no threads' if !$Config{useithreads};
    require threads;
    my @running = map {
        my $n = $_;
        threads->create(sub { $state = $n; return digest(map { hashes() } 1 .. 2) })
    } 1 .. 4;
    return digest(map { $_->join } @running);
}

for my $round (1 .. $rounds) {
    print "round $round\n";
    print 'hashes     ', hashes(),     "\n";
    print 'strings    ', strings(),    "\n";
    print 'structures ', structures(), "\n";
    print 'closures   ', closures(),   "\n";
    print 'destructor ', destructors(), "\n";
    print 'children   ', children(),   "\n";
    print 'threads    ', threaded(),   "\n";
}
