#!/bin/sh
# style.sh: what the formatter cannot see. A function has at most 60 lines, a file of the
# library 400, a line 90 columns; no tabs, no white space at line ends. Prints each fault,
# and fails if there is one.
set -eu

# Bodies are found by the brace in column one that our format puts at both ends of a
# function.
find src include tests -name '*.[ch]' | sort |
    xargs awk -v max_function=60 -v max_file=400 -v max_line=90 '
    function fault(line, what) { printf "%s:%d: %s\n", FILENAME, line, what; bad++ }
    function file_ends(name, lines)
    {
        if (name ~ /^src\// && lines > max_file) {
            printf "%s: %d lines, %d allowed\n", name, lines, max_file
            bad++
        }
    }
    FNR == 1 { file_ends(last, lines); last = FILENAME; files++; open = 0 }
    { lines = FNR }
    length($0) > max_line { fault(FNR, length($0) " columns, " max_line " allowed") }
    /\t/ { fault(FNR, "tab") }
    /[ \t]$/ { fault(FNR, "white space at the end") }
    /^\{/ { open = FNR; name = before }
    /^\}/ && open {
        functions++
        n = FNR - open - 1
        if (n > longest) longest = n
        if (n > max_function)
            fault(open, "function of " n " lines, " max_function " allowed: " name)
        open = 0
    }
    { before = $0 }
    END {
        file_ends(last, lines)
        if (!bad)
            printf "style: %d files, %d functions, the longest %d lines\n",
                files, functions, longest
        exit bad > 0
    }'
