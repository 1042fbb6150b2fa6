-- Counts an attempt in all of its buckets that hold, or in none. The rules are those of accounts::throttle.
--
-- KEYS: the mark (a key that is never there, if the attempt has none), then the buckets.
-- ARGV: for each bucket: always, known or unknown; the attempts of its burst; the milliseconds of its interval.
-- A bucket is the moment at which it will be empty again, in milliseconds of this server's clock. No bucket is none.
-- Returns the milliseconds to wait (0: it was counted), and whether the mark is there.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('EXISTS', KEYS[1]) == 1
local wait, counted = 0, {}
for i = 2, #KEYS do
  local at = (i - 2) * 3
  local when, burst, interval = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if when == 'always' or (when == 'known') == known then
    local empty = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now)
    -- No bucket is fuller than full: if it seems so, the clock was set back.
    empty = math.min(empty, now + burst * interval)
    wait = math.max(wait, empty - (burst - 1) * interval - now)
    counted[#counted + 1] = { KEYS[i], empty + interval }
  end
end
if wait > 0 then
  return { wait, known and 1 or 0 }
end
for _, bucket in ipairs(counted) do
  redis.call('SET', bucket[1], string.format('%.0f', bucket[2]), 'PX', string.format('%.0f', bucket[2] - now))
end
return { 0, known and 1 or 0 }
