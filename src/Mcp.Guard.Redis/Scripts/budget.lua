-- Adds to a count and answers the sum within the window. KEYS: epoch, count. ARGV: fresh, expected, known, amount, window in microseconds (0: the whole
-- session), milliseconds that a session's count is kept unused, most moments. The count: the longest window asked for, then pairs of moment and amount.
local id, lost = epoch(KEYS[1], ARGV[3])
local amount, window, keep, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local stored = redis.call('GET', KEYS[2])
local account = stored and cmsgpack.unpack(stored) or { window }
if account[1] ~= 0 and (window == 0 or window > account[1]) then
  account[1] = window
end

local kept = { account[1] }
for i = 2, #account, 2 do
  -- A moment in the future: the clock went back. It counts until it is old.
  if account[1] == 0 or now - account[i] < account[1] then
    kept[#kept + 1] = account[i]
    kept[#kept + 1] = account[i + 1]
  end
end

local largest = 9007199254740991
if amount > 0 then
  if #kept > 1 and (kept[1] == 0 or kept[#kept - 1] == now) then
    kept[#kept - 1] = now
    kept[#kept] = math.min(largest, kept[#kept] + amount)
  else
    kept[#kept + 1] = now
    kept[#kept + 1] = amount
  end
  if (#kept - 1) / 2 > most then
    -- The two oldest are taken together at the later moment: the count can only be higher.
    kept[5] = math.min(largest, kept[3] + kept[5])
    table.remove(kept, 2)
    table.remove(kept, 2)
  end
end

local sum = 0
for i = 2, #kept, 2 do
  if window == 0 or now - kept[i] < window then
    sum = math.min(largest, sum + kept[i + 1])
  end
end

if #kept > 1 then
  local life = kept[1] == 0 and keep or divide(kept[1], 1000) + 1000
  redis.call('SET', KEYS[2], cmsgpack.pack(kept), 'PX', whole(life))
end
return { id, lost and 1 or 0, whole(sum) }
