import { type Script, script } from './script.ts'

/**
 * Proposes who runs what, and strikes out hosts that are gone. Of two proposals on one version one is taken, and none where a
 * host that was to be struck out has shown since that it lives. Nothing rests on it but balance: what a host may write is
 * said by the epochs of shards (G5).
 *
 * KEYS hosts, assignment. ARGV tag, version that it follows, owners, (host, beat) of those that are gone. Answers 1, also for
 * the same tag again, or 0 where nothing was changed.
 */
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
