-- Takes an attempt out of buckets, each only its own share, and keeps a mark.
--
-- KEYS: the mark, then the buckets. ARGV: for how many milliseconds the mark is kept (0: it is not), then for each bucket
-- the milliseconds of its interval.
for i = 2, #KEYS do
  local empty = tonumber(redis.call('GET', KEYS[i]) or 0)
  if empty > 0 then
    redis.call('SET', KEYS[i], string.format('%.0f', empty - ARGV[i]), 'KEEPTTL')
  end
end
if tonumber(ARGV[1]) > 0 then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
end
