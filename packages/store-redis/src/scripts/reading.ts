// reading.ts: scripts that only read, where one command does not tell enough or tells it in another form by protocol.
import { type Script, script } from './script.ts'

/** KEYS inbox. ARGV entity, position to start after, limit. Answers {last position looked at, (position, id, body)...}. */
export const inboxOf: Script = script(
  `
local found, after, limit, looked = {}, ARGV[2], tonumber(ARGV[3]), 0
while looked < 5000 do
  local page = redis.call('XRANGE', KEYS[1], '(' .. after .. '-18446744073709551615', '+', 'COUNT', 250)
  for _, row in ipairs(page) do
    after = string.match(row[1], '^%d+')
    if row[2][4] == ARGV[1] then
      found[#found + 1] = after
      found[#found + 1] = row[2][2]
      found[#found + 1] = row[2][6]
      if #found >= limit * 3 then return {after, found} end
    end
  end
  if #page < 250 then return {'end', found} end
  looked = looked + 250
end
return {after, found}
`,
  'no-writes',
)

/** KEYS wake. ARGV lowest, highest, limit. Answers (entity, wakeAt)... soonest first. */
export const due: Script = script(
  `return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])`,
  'no-writes',
)

/** KEYS shard, keys. ARGV keys. Answers {purge mark, {message, fingerprint, reply} or empty...}. */
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

/** KEYS dead. ARGV ids. Answers {entity, body, reason}, empty where there is none. */
export const deadLetters: Script = script(
  `
local answer = {}
for i = 1, #ARGV do
  local stored = redis.call('HGET', KEYS[1], ARGV[i])
  answer[i] = stored and cmsgpack.unpack(stored) or {}
end
return answer
`,
  'no-writes',
)

/** KEYS a hash. Answers (field, value)... in any protocol. */
export const wholeHash: Script = script(`return redis.call('HGETALL', KEYS[1])`, 'no-writes')
