import { type Script, script } from './script.ts'

/**
 * What is known of idempotency keys, together with the mark up to which they were forgotten, of one moment: a key never looks
 * new because it was purged in between (G7, G10).
 *
 * KEYS shard, keys. ARGV keys. Answers {purge mark, {message, fingerprint, reply} or empty...}.
 */
export const knownKeys: Script = script(
  `
local answer = {redis.call('HGET', KEYS[1], 'purged') or '0'}
for i = 1, #ARGV do
  local stored = redis.call('HGET', KEYS[2], ARGV[i])
  answer[#answer + 1] = stored and cmsgpack.unpack(stored) or {}
end
return answer
`,
  'no-writes',
)
