# shellcheck shell=bash
# php: before 8.5 it loads its extensions with RTLD_DEEPBIND. Its own allocator takes chunks of 2 MiB; then each
# request of its own is one of malloc.
. "$PRELOAD_SRC/../lib.sh"
limit 60 120
need php php-cli

rounds=$(quick && echo 1 || echo 4)
same php php "$PRELOAD_SRC/work.php" "$rounds"
USE_ZEND_ALLOC=0 same requests php "$PRELOAD_SRC/work.php" "$rounds"
loaded '*/php*' 2
