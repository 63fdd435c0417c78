import { guard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Forgets what receivers have, never more than the lane carried (G2).
 *
 * KEYS shard, lanes, out. ARGV store, 0, 0; pairs of (to, number). Answers {'trimmed', seq}.
 */
export const trim: Script = script(
  `
${guard}
local gone = 0
for at = 4, #ARGV, 2 do
  local stored = redis.call('HGET', KEYS[2], ARGV[at])
  if stored then
    local number, chain, trimmed = string.match(stored, '^(%d+) (%x*) (%d+)$')
    local last = math.min(tonumber(ARGV[at + 1]), tonumber(number))
    if last > tonumber(trimmed) then
      for each = tonumber(trimmed) + 1, last do
        gone = gone + redis.call('HDEL', KEYS[3], ARGV[at] .. '.' .. string.format('%.0f', each))
      end
      redis.call('HSET', KEYS[2], ARGV[at], number .. ' ' .. chain .. ' ' .. string.format('%.0f', last))
    end
  end
end
if gone > 0 then
  seq = seq + 1
  redis.call('HSET', KEYS[1], 'seq', seq, 'departing', tonumber(shard[5]) - gone)
end
return {'trimmed', seq}
`,
  'allow-oom',
)
