import { guard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Moves the purge mark, never back, and forgets up to a number of keys before it (G10, G17).
 *
 * KEYS shard, keys, key-times. ARGV store, 0, 0; mark, limit. Answers {'purged', seq, forgotten}.
 */
export const purge: Script = script(
  `
${guard}
local mark = tonumber(shard[6] or 0)
if tonumber(ARGV[4]) > mark then
  mark, seq = tonumber(ARGV[4]), seq + 1
  redis.call('HSET', KEYS[1], 'purged', ARGV[4], 'seq', seq)
end
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('(%.17g', mark), 'LIMIT', 0, ARGV[5])
for _, key in ipairs(old) do
  redis.call('HDEL', KEYS[2], key)
  redis.call('ZREM', KEYS[3], key)
end
return {'purged', seq, #old}
`,
  'allow-oom',
)
