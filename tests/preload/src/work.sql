-- work.sql: @ROWS@ is put in by the caller. No randomness: the same output everywhere.
pragma journal_mode = memory;
pragma synchronous = off;
pragma cache_size = -8000;
create table word(id integer primary key, word text, n integer, payload blob);
with recursive step(i) as (select 1 union all select i + 1 from step where i < @ROWS@)
insert into word(word, n, payload)
  select substr(hex((i * 7919) % 1000003), 1, 1 + i % 11) || '-' || (i * 31 % 997), i * 2654435761 % 65537,
         zeroblob(i % 300)
  from step;
create index word_word on word(word, n);
create index word_n on word(n);
analyze;
select count(*), sum(n), sum(length(payload)), min(word), max(word) from word;
select a.n % 13 as k, count(*), sum(b.n), group_concat(distinct length(a.word))
  from word a join word b on a.n = b.n + 1 group by k order by k;
select sum(length(j)) from (select json_group_array(json_object('word', word, 'n', n)) as j from word group by n % 50);
select sum(json_extract(value, '$.n')) from
  json_each((select json_group_array(json_object('n', n)) from (select n from word order by id limit 5000)));
select sum(r), sum(m) from (select row_number() over (partition by n % 97 order by word) as r,
                                   max(n) over (order by id rows between 50 preceding and current row) as m from word);
create virtual table words using fts5(body);
insert into words select group_concat(word, ' ') from word group by id / 20;
select count(*) from words where words match '31*';
update word set payload = zeroblob(length(payload) * 3 % 700), word = word || n where id % 3 = 0;
delete from word where id % 5 = 0;
select upper(substr(word, 1, 2)) as p, count(*), printf('%.3f', avg(n)) from word group by p order by 2 desc, 1 limit 20;
select length(group_concat(x, '')) from (select printf('%0' || (n % 2000) || 'd', id) as x from word limit 5000);
vacuum;
pragma integrity_check;
