# soak.pl SECONDS: hashes that grow and shrink, strings, children.
use strict;
my ($end, %h) = (time + shift);
$SIG{ALRM} = sub { my @x = map { "x" x $_ } 1 .. 200 };
while (time < $end) {
    $h{int rand 20000} = "v" x rand 300 for 1 .. 20000;
    delete $h{int rand 20000} for 1 .. 20000;
    kill 'ALRM', $$;
    my $pid = fork;
    if (!$pid) { $h{$_} = [1 .. 10] for 1 .. 2000; exit 0 }
    waitpid $pid, 0;
    die "the child has failed" if $?;
}
