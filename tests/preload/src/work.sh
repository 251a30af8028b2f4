# work.sh ROUNDS - what shell scripts do all day: fork, exec, pipe, wait. Run by bash and by dash.
set -eu

rounds=$1

# The same numbers in every run.
numbers() { awk -v n="$1" 'BEGIN { x = 12345; for (i = 0; i < n; i++) { x = (x * 1103515245 + 12345) % 2147483648; print x } }'; }

count_down() { if [ "$1" -gt 0 ]; then (count_down $(($1 - 1))); else echo bottom; fi; }

i=0
while [ $i -lt "$rounds" ]; do
    text=$(echo "round $i" | tr a-z A-Z | sed "s/R/$i/" | cat)
    word=$(printf '%s\n' "$text" | awk '{ n = length($0); for (k = n; k > 0; k--) printf "%s", substr($0, k, 1) }')
    (echo "$word"; (echo "$i"; (expr $i + 1))) | paste -s -d ' ' -
    i=$((i + 1))
done

count_down 40

# Background jobs, each with a pipe line of its own.
i=0
while [ $i -lt 20 ]; do
    (numbers 2000 | sort -n | uniq | tail -n 1 >"job$i") &
    i=$((i + 1))
done
wait
sort -n job* | paste -s -d ' ' -

numbers $((rounds * 4000)) >many
sort --parallel=2 -S 2M many | sha1sum
sort -n -r many | head -n 3
tac many | rev | cut -c 1-4 | sort | uniq -c | sort -k 1,1nr -k 2 | head -n 5
awk '{ count[$1 % 1000]++; if (NR % 50 == 0) text = text substr($1, 1, 2) } END { for (key in count) print key, count[key], length(text) }' many | sort | sha1sum
grep -E -c '(12|34).*(5|6)7' many
sed -E 's/([0-9])([0-9])/\2\1/g; s/00+/X/' many | sha1sum
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf all.tar job* many
xz -T2 --block-size=300KiB -k -f -3 all.tar
xz -dc all.tar.xz | tar -xOf - many | cmp - many
gzip -9n <many | gzip -dc | sha1sum
find . -name 'job*' -print0 | sort -z | xargs -0 -P 2 -n 3 cat | sort -n | sha1sum
squares=$(printf '%s\n' 2 3 5 7 | xargs -I{} expr {} '*' {} | paste -s -d " " -)
echo "$squares"
