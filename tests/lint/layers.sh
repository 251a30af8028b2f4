#!/bin/sh
# layers.sh [src]: one arrow, api -> inspect -> front -> core -> os -> base. A file
# includes files of its own layer or of lower ones. Prints every upward include, and fails
# if there is one.
set -eu
src=${1:-src}

# Folders that do not exist yet are no fault; a folder without a rank is one.
find "$src" -name '*.[ch]' | sort | xargs awk -v src="$src/" '
    BEGIN {
        n = split("base os core front inspect api tools", order, " ")
        for (i = 1; i <= n; i++) rank[order[i]] = i
    }
    function folder(path) { return substr(path, 1, index(path, "/") - 1) }
    FNR == 1 {
        name = substr(FILENAME, length(src) + 1)
        own = folder(name)
        if (own != "" && !(own in rank)) fault(name ": folder " own " has no rank")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, part, "\"")
        target = part[2]
        of = folder(target)
        includes++
        if (own == "") next # cmalloc.c, the unity file, includes them all
        if (target == "cmalloc.h") next # the public header; it includes none of ours
        if (target ~ /\.\./) fault(at() "path from " src " please, without ..: " target)
        else if (of == "") fault(at() "say the layer: \"" own "/" target "\"")
        else if (!(of in rank)) fault(at() "no such layer: " target)
        else if (rank[of] > rank[own]) fault(at() own " must not include " of ": " target)
        if (target ~ /\.c$/) fault(at() "only cmalloc.c includes .c files: " target)
    }
    function at() { return name ":" FNR ": " }
    function fault(what) { print what; bad++ }
    END {
        if (!bad) print "layers: " includes + 0 " includes, none upward"
        exit bad > 0
    }'
