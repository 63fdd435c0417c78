import { guard, placing } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Takes consignments in at the receiver's shard. Each is checked as a whole before any of it is written.
 *
 * KEYS shard, ids, inbox, marks. ARGV store, 0, seq that the caller knows; count of consignments, each: from, count and
 * (number, chain, id, entity, body) of messages.
 *
 * Answers {'delivered', seq, result of each}: {'delivered', mark, count of the messages that were not new, positions of
 * the others}, {'gap', mark} or {'broken', mark}.
 */
export const deliver: Script = script(`
-- Serves G2, G6 (gap), G7 (mark), G15 (chain).
${guard}
local ids, inbox, marks, lanes, out = KEYS[2], KEYS[3], KEYS[4], '', ''
${placing}
local answer, at, changed = {'delivered', 0}, 4, false
for _ = 1, tonumber(ARGV[4]) do
  local from, count, base = ARGV[at + 1], tonumber(ARGV[at + 2]), at + 2
  local stored, mark, chain = redis.call('HGET', marks, from), 0, ''
  if stored then
    local number, text = string.match(stored, '^(%d+) (%x*)$')
    mark, chain = tonumber(number), text
  end
  local result, first, before, next = nil, count, chain, mark + 1
  for i = 1, count do
    local number, told, id = tonumber(ARGV[base + 1]), ARGV[base + 2], ARGV[base + 3]
    -- @mark
    if number <= mark then first = count - i; next = mark + 1 end
    if number > mark and not result then
      -- @gap
      if number ~= next then result = {'gap', mark} end
      before, next = string.sub(redis.sha1hex(before .. id), 1, 16), number + 1
      -- @chain
      if not result and told ~= before then result = {'broken', mark} end
    -- @head
    elseif number == mark and told ~= chain and not result then result = {'broken', mark}
    end
    base = base + 5
  end
  if not result then
    result = {'delivered', mark, count - first}
    base = at + 2 + (count - first) * 5
    for i = 1, first do
      result[3 + i] = enter(ARGV[base + 3], ARGV[base + 4], ARGV[base + 5])
      mark, chain = tonumber(ARGV[base + 1]), ARGV[base + 2]
      base = base + 5
    end
    result[2] = mark
    if first > 0 then
      changed = true
      redis.call('HSET', marks, from, string.format('%.0f', mark) .. ' ' .. chain)
    end
  end
  answer[#answer + 1] = result
  at = at + 2 + count * 5
end
if changed then settle() end
answer[2] = seq
return answer
`)
