-- One scan, decided by Redis: who is inside leaves and frees the spot, anybody else gets the lowest free one.
-- KEYS: free spots (sorted set), stays by card (hash: 13 digits of entered_at_ms, then the spot), events (stream).
-- ARGV: card, at_ms, reader, the reader's number of this scan. Returns the spot; 0 where the lot is full.
--
-- Also tried: a stream entry with a field for each value, a list instead of the stream, a bitmap with BITPOS
-- instead of the sorted set, io-threads 2, latency-tracking no: none faster beyond the noise. A local function
-- for what both branches share costs a fifth, as a script makes its closures anew at each call.
local call, card, at_ms = redis.call, ARGV[1], ARGV[2]
local stay = call('HGET', KEYS[2], card)
if stay then
  local spot = string.sub(stay, 14)
  call('HDEL', KEYS[2], card)
  call('ZADD', KEYS[1], spot, spot)
  call('XADD', KEYS[3], '*', 'e', 'exit ' .. spot .. ' ' .. at_ms .. ' ' .. ARGV[4] .. ' ' .. ARGV[3] .. ' ' .. card)
  return tonumber(spot)
end
local spot = call('ZPOPMIN', KEYS[1])[1]
if not spot then
  return 0
end
call('HSET', KEYS[2], card, at_ms .. spot)
call('XADD', KEYS[3], '*', 'e', 'entry ' .. spot .. ' ' .. at_ms .. ' ' .. ARGV[4] .. ' ' .. ARGV[3] .. ' ' .. card)
return tonumber(spot)
