#!/bin/sh
# scripts.sh: shellcheck over every script.
set -eu
find .ci tests -type f | sort | while read -r file; do
    case $(head -n 1 "$file" 2>/dev/null | tr -d '\0') in
    '#!'*sh) echo "$file" ;;
    esac
done | xargs shellcheck -x -S warning
