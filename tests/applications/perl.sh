cat > bench.pl <<'END'
use strict; use warnings; use Benchmark qw(timeit timestr); use Digest::SHA qw(sha256_hex); use IPC::Open3; use Socket; use threads; use Storable;
my ($sum, %h) = (0); timeit(1, sub { for my $i (1..200_000) { $sum += $i; $h{$i % 1000} .= 'x' } });
print "$sum ", scalar(keys %h), " ", length $h{7}, "\n";
my $text = join ' ', map { "word$_" } 1..20000; my $n = () = $text =~ /(\w+7)\b/g; print "matches $n\n";
print sha256_hex('x' x 1_000_000), "\n";
my $pid = open3(my $in, my $out, undef, 'sort', '-n'); print $in "$_\n" for reverse 1..50; close $in; my @l = <$out>; waitpid $pid, 0; print "sorted $l[0]";
socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die; my $kid = fork // die; if (!$kid) { close $a; print $b "from the child\n"; exit 4 } close $b; print scalar <$a>; waitpid $kid, 0; print $? >> 8, "\n";
my @t = map { threads->create(sub { my $s = 0; $s += $_ for 1..$_[0]; $s }, $_ * 1000) } 1..4; print join(',', map { $_->join } @t), "\n";
store { a => [1, 2, 3] }, 'stored'; print scalar @{ retrieve('stored')->{a} }, "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 30; }; print $@;
END
perl bench.pl
