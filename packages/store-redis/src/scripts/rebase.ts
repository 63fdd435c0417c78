import { type Script, script } from './script.ts'

/**
 * Sets ends of lanes after a person has decided to go on, and makes the record of a shard again where it was lost. Its
 * epoch is taken from the clock then: it must be above every epoch that was ever given (G5). Nothing new goes
 * under a number that its receiver knows: it would be taken for a duplicate (G2).
 *
 * KEYS shard, lanes, out, marks. ARGV store, 0, 0; count and (to, number, chain) of heads; count and (from, number, chain) of
 * marks. Answers {'rebased', seq}.
 */
export const rebase: Script = script(`
if redis.call('HGET', KEYS[1], 'store') ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'store', ARGV[1], 'epoch', redis.call('TIME')[1], 'seq', 0, 'position', 0, 'departing', 0)
end
local at = 4
for _ = 1, tonumber(ARGV[4]) do
  local to, number, chain = ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  local head, trimmed, rows = 0, 0, {}
  local stored = redis.call('HGET', KEYS[2], to)
  if stored then
    local text, _, last = string.match(stored, '^(%d+) (%x*) (%d+)$')
    head, trimmed = tonumber(text), tonumber(last)
  end
  if head < number then
    -- What stood in the lane stood under numbers that the receiver knows as others: it goes behind them.
    for each = trimmed + 1, head do
      local name = to .. '.' .. string.format('%.0f', each)
      local row = redis.call('HGET', KEYS[3], name)
      if row then
        rows[#rows + 1] = cmsgpack.unpack(row)
        redis.call('HDEL', KEYS[3], name)
      end
    end
    local last = number
    for _, row in ipairs(rows) do
      last, chain = last + 1, string.sub(redis.sha1hex(chain .. row[2]), 1, 16)
      redis.call('HSET', KEYS[3], to .. '.' .. string.format('%.0f', last), cmsgpack.pack({chain, row[2], row[3], row[4]}))
    end
    redis.call('HSET', KEYS[2], to, string.format('%.0f', last) .. ' ' .. chain .. ' ' .. string.format('%.0f', number))
    redis.call('HINCRBY', KEYS[1], 'departing', #rows - math.max(0, head - trimmed))
  end
  at = at + 3
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local from, number, chain = ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  local stored = redis.call('HGET', KEYS[4], from)
  if not stored or tonumber(string.match(stored, '^%d+')) < number then
    redis.call('HSET', KEYS[4], from, string.format('%.0f', number) .. ' ' .. chain)
  end
  at = at + 3
end
return {'rebased', redis.call('HINCRBY', KEYS[1], 'seq', 1)}
`)
