-- postgres.sql: queries whose answer is always the same; sorts, hashes, parallel scans, json, arrays, plpgsql.
create table word(id int primary key, word text, n int, j jsonb);
insert into word select i, md5(i::text), i * 7919 % 10007, jsonb_build_object('i', i, 'list', array[i, i + 1])
  from generate_series(1, 60000) i;
create index on word(word);
create index on word using gin(j);
analyze;
select n % 17, count(*), sum(length(word)), max(word) from word group by 1 order by 1;
select count(*), sum(a.n) from word a join word b on a.n = b.n + 1;
select sum((j->'list'->>1)::int) from word where j @> '{"i": 77}' or n < 500;
select md5(string_agg(word, ',' order by word desc)) from word;
select md5(array_agg(id order by n, id)::text) from word;
select sum(r) from (select rank() over (partition by n % 97 order by word) r from word) x;
with recursive t(i, s) as (select 1, '1'::text union all select i + 1, md5(s) || s from t where i < 200)
  select max(length(s)) from t;
create function squares(k int) returns bigint language plpgsql as $$
declare total bigint := 0; held text[] := '{}';
begin
  for i in 1..k loop
    total := total + i * i;
    held := held || repeat('x', i % 100);
    begin
      if i % 50 = 0 then raise exception 'on purpose'; end if;
    exception when others then total := total + 1;
    end;
  end loop;
  return total + array_length(held, 1);
end $$;
select squares(3000);
select length(repeat(md5('x'), 200000)), regexp_count(repeat('abcab', 20000), 'ab');
drop table word;
