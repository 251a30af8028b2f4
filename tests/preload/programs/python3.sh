# shellcheck shell=bash
# python3 on our own program: as it comes, and with every object a malloc of its own.
. "$PRELOAD_SRC/../lib.sh"
limit 120 90
need /usr/bin/python3 python3

export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
rounds=$(quick && echo 1 || echo 2)
same pymalloc /usr/bin/python3 "$PRELOAD_SRC/work.py" 1
export PYTHONMALLOC=malloc
same malloc /usr/bin/python3 "$PRELOAD_SRC/work.py" "$rounds"
loaded '*/python3*' 4
