// guard.ts: what every script that writes to a shard begins with: whether the shard still has its history (G15).
// KEYS[1] shard; ARGV[1] store, ARGV[2] the newest epoch and ARGV[3] the highest seq that the caller knows of.
// Answers {'lost', field, stored value} where the record is gone, is another store's, or is older than what was
// acknowledged. Leaves `shard`, `epoch` and `seq`.

/** What every turn needs; who takes or gives back a shard needs more of its record. */
export const guard: string = guardOf(['store', 'epoch', 'seq', 'position', 'departing', 'purged'])
export const wholeGuard: string = guardOf([
  ...['store', 'epoch', 'seq', 'position', 'departing', 'purged'],
  ...['runner', 'crashes', 'taken', 'requeued'],
])

function guardOf(fields: readonly string[]): string {
  return `
local shard = redis.call('HMGET', KEYS[1], ${fields.map((field) => `'${field}'`).join(', ')})
-- @store
if shard[1] ~= ARGV[1] then return {'lost', 'store', shard[1] or ''} end
local epoch, seq = tonumber(shard[2]), tonumber(shard[3])
-- @regress
if epoch < tonumber(ARGV[2]) then return {'lost', 'epoch', shard[2]} end
-- @watermark
if seq < tonumber(ARGV[3]) then return {'lost', 'seq', shard[3]} end
`
}

/**
 * Puts a message into the inbox, or at the end of a lane, see `place`. Needs `ids`, `inbox`, `lanes` and `out`: the names
 * of these keys. `settle` writes down how far the shard has come.
 */
export const placing: string = `
local position, departing = tonumber(shard[4]), tonumber(shard[5])
local heads = {}
local function enter(id, to, body)
  local before = redis.call('HGET', ids, id)
  if before then return string.match(before, '^%d+') end
  position = position + 1
  local at = string.format('%.0f', position)
  redis.call('XADD', inbox, at .. '-0', 'i', id, 'e', to, 'b', body)
  redis.call('HSET', ids, id, at .. ' ' .. to)
  return at
end
local function leave(shard, id, to, body)
  local head = heads[shard]
  if not head then
    head = {0, '', '0'}
    local stored = redis.call('HGET', lanes, shard)
    if stored then
      local number, chain, trimmed = string.match(stored, '^(%d+) (%x*) (%d+)$')
      head = {tonumber(number), chain, trimmed}
    end
    heads[shard] = head
  end
  local chain = string.sub(redis.sha1hex(head[2] .. id), 1, 16)
  local number = string.format('%.0f', head[1] + 1)
  head[1], head[2] = head[1] + 1, chain
  redis.call('HSET', out, shard .. '.' .. number, cmsgpack.pack({chain, id, to, body}))
  departing = departing + 1
  return number .. '.' .. chain
end
local function place(shard, id, to, body)
  if shard == '' then return enter(id, to, body) end
  return leave(shard, id, to, body)
end
local function settle()
  for to, head in pairs(heads) do
    redis.call('HSET', lanes, to, string.format('%.0f', head[1]) .. ' ' .. head[2] .. ' ' .. head[3])
  end
  seq = seq + 1
  redis.call('HSET', KEYS[1], 'seq', seq, 'position', position, 'departing', departing)
end
`
