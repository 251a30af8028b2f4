# shellcheck shell=bash
# A fork-heavy shell script in bash and in dash, through pipes, subshells, background jobs and the usual tools.
. "$PRELOAD_SRC/../lib.sh"
limit 120 120
need bash bash
need dash dash
need xz xz-utils

rounds=$(quick && echo 10 || echo 200)

same bash bash "$PRELOAD_SRC/work.sh" "$rounds"
same dash dash "$PRELOAD_SRC/work.sh" "$rounds"
loaded '*/bash'
loaded '*/dash'
loaded '*/*awk' "$rounds"
loaded '*/sort' 4
loaded '*/xz' 2
