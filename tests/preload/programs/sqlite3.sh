# shellcheck shell=bash
# The sqlite3 shell: inserts, joins, aggregates, indices, json, full text, a window function, dump and vacuum.
. "$PRELOAD_SRC/../lib.sh"
limit 120 120
need sqlite3 sqlite3

rows=$(quick && echo 20000 || echo 150000)

workload() {
    sed "s/@ROWS@/$rows/" "$PRELOAD_SRC/work.sql" | sqlite3 file.db
    sqlite3 file.db .dump | sqlite3 copy.db
    sqlite3 copy.db 'select count(*), sum(length(word)) from word; pragma integrity_check;'
    sed "s/@ROWS@/$((rows / 4))/" "$PRELOAD_SRC/work.sql" | sqlite3 :memory:
}

same sqlite3 workload
same_files file.db copy.db
loaded '*/sqlite3' 5
