# shellcheck shell=bash
# node: strings, buffers, json, zlib and crypto in worker threads, and workers that come and go.
. "$PRELOAD_SRC/../lib.sh"
limit - 120
need node nodejs

same node node "$PRELOAD_SRC/work.js" 4
loaded '*/node*'
