-- Generic cell rate algorithm over several limits: all are charged, or none is.
-- KEYS: for each limit the epoch of its shard and its cell. ARGV: fresh, expected, and for each limit: known epoch, units a step, microseconds a step,
-- units a permit costs, units of tolerance. A cell holds the moment at which the key is idle again: step, units, and the scale that both are in.
-- Answers: admitted, index of the limit that refused, microseconds to wait, then the ids of the epochs, and the cells before and after.
local limits = #KEYS / 2
local ids, before, after, life = {}, {}, {}, {}
local pending = {}
local refused, longest = 0, 0

for i = 1, limits do
  local cell = KEYS[2 * i]
  local at = 2 + (i - 1) * 5
  local units, size, interval, tolerance = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local id, lost, made = epoch(KEYS[2 * i - 1], ARGV[at + 1])
  local step = divide(now, size)
  local most = tolerance + interval
  local ahead = 0
  local old = pending[cell] or redis.call('GET', cell) or ''
  local idleStep, idleUnits, oldUnits, oldSize = string.match(old, '^(%d+) (%d+) (%d+) (%d+)$')
  if idleStep then
    idleStep, idleUnits, oldUnits, oldSize = tonumber(idleStep), tonumber(idleUnits), tonumber(oldUnits), tonumber(oldSize)
    if oldUnits ~= units or oldSize ~= size then
      -- Another rate under the same key (a new policy): the time until the key is idle is kept, rounded up.
      idleStep = divide((idleStep + 1) * oldSize, size) + 1
      idleUnits = 0
    end
    local steps = idleStep - step
    if steps > most / units + 1 then
      -- More than the rate can owe: the server's clock went back.
      ahead = most
    elseif steps >= 0 then
      ahead = math.min(most, steps * units + idleUnits)
    end
  elseif old ~= '' then
    ahead = most
  elseif lost then
    -- The cell may have been lost with the rest: it counts as spent when the shard was made anew.
    local passed = step - divide(made, size)
    if passed < most / units then
      ahead = math.max(0, most - math.max(0, passed) * units)
    end
  end

  if ahead > tolerance then
    local steps = divide(ahead - tolerance - 1, units) + 1
    local wait = (step + steps) * size - now
    if refused == 0 or wait > longest then
      refused, longest = i, wait
    end
    -- Written down, so that a clock that went back holds no longer than the rate itself would.
    if old ~= '' and ahead == most then
      redis.call('SET', cell, whole(step + divide(ahead, units)) .. ' ' .. whole(math.fmod(ahead, units)) .. ' ' .. whole(units) .. ' ' .. whole(size),
        'PX', whole(divide((divide(ahead, units) + 1) * size, 1000) + 1000))
    end
  end

  ahead = ahead + interval
  ids[i] = id
  before[i] = old
  after[i] = whole(step + divide(ahead, units)) .. ' ' .. whole(math.fmod(ahead, units)) .. ' ' .. whole(units) .. ' ' .. whole(size)
  life[i] = whole(divide((divide(ahead, units) + 1) * size, 1000) + 1000)
  if refused == 0 then
    pending[cell] = after[i]
  end
end

if refused == 0 then
  for i = 1, limits do
    redis.call('SET', KEYS[2 * i], after[i], 'PX', life[i])
  end
end
return { refused == 0 and 1 or 0, refused, whole(longest), ids, before, after }
