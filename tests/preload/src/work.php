<?php
// work.php ROUNDS - arrays, strings, regular expressions, objects in cycles, and what extensions do, with each
// request going to malloc if USE_ZEND_ALLOC=0. Prints digests only, the same in every run.

function number(int $below): int
{
    static $state = 12345;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return ($state >> 8) % $below;
}

function words(int $count): array
{
    $words = [];
    for ($i = 0; $i < $count; $i++) {
        $words[] = str_repeat(chr(97 + number(26)), 1 + number(40)) . $i;
    }
    return $words;
}

final class Node
{
    public ?Node $other = null;
    public function __construct(public string $name)
    {
    }
}

function cycles(int $count): int
{
    $sum = 0;
    for ($i = 0; $i < $count; $i++) {
        $a = new Node("a$i");
        $b = new Node(str_repeat("b", number(300)));
        $a->other = $b;
        $b->other = $a;
        $sum += strlen($b->name);
    }
    gc_collect_cycles();
    return $sum;
}

for ($round = 0; $round < (int) $argv[1]; $round++) {
    $words = words(20000);
    $index = [];
    foreach ($words as $word) {
        $index[$word[0]][] = $word;
    }
    ksort($index);
    $text = implode(' ', $words);
    $joined = json_encode(array_map('array_reverse', $index));
    preg_match_all('/\b([a-m])\w*/', $text, $found);
    usort($words, fn ($a, $b) => strlen($a) <=> strlen($b) ?: strcmp($a, $b));
    echo md5($joined), ' ', count($found[0]), ' ', md5(serialize(unserialize(serialize($words)))), ' ', cycles(20000),
        ' ', count(token_get_all('<?php ' . str_repeat('$a = [1, "b" => 2]; ', 2000))), "\n";
}
