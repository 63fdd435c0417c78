// hosts.ts: scripts over what hosts know of each other. KEYS hosts, assignment, halts, where not said otherwise.
import { type Script, script } from './script.ts'

const view = `
return {redis.call('HVALS', KEYS[1]), redis.call('HMGET', KEYS[2], 'version', 'owners'), redis.call('HGETALL', KEYS[3])}
`

/** ARGV host, beat, record. Answers {records, {version, owners}, halts}. */
export const beat: Script = script(
  `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])\n${view}`,
  'allow-oom',
)

/** Answers as {@link beat}. */
export const look: Script = script(view, 'no-writes')

/** ARGV tag, version, owners, (host, beat) of those that are gone. Answers 1, also for the same attempt again, or 0. */
export const assign: Script = script(
  `
local stored = redis.call('HMGET', KEYS[2], 'version', 'tag')
if stored[2] == ARGV[1] then return 1 end
if tonumber(stored[1] or 0) ~= tonumber(ARGV[2]) then return 0 end
for i = 4, #ARGV, 2 do
  local record = redis.call('HGET', KEYS[1], ARGV[i])
  if not record or string.match(record, '^%S+') ~= ARGV[i + 1] then return 0 end
end
for i = 4, #ARGV, 2 do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('HSET', KEYS[2], 'version', tonumber(ARGV[2]) + 1, 'owners', ARGV[3], 'tag', ARGV[1])
return 1
`,
  'allow-oom',
)

/** KEYS notes, bell. ARGV most notes to keep, milliseconds to keep them, notes. Rings. */
export const notify: Script = script(`
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', KEYS[2], '')
return 1
`)
