import { wholeGuard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Takes a shard under a newer epoch (G5). Where many owners have left attempts, those from before the last epoch are
 * forgotten (G17): all that comes under a lease is fenced by then.
 *
 * KEYS shard, attempts. ARGV store, epoch and seq that the caller knows; owner, tag, 1 for a handover. Answers {'acquired',
 * seq, epoch, crashes}; the same tag again answers the same.
 */
export const acquire: Script = script(
  `
${wholeGuard}
local crashes = tonumber(shard[8] or 0)
if shard[9] == ARGV[5] then return {'acquired', seq, epoch, crashes} end
if not shard[7] then crashes = 0 elseif ARGV[6] ~= '1' then crashes = crashes + 1 end
epoch, seq = epoch + 1, seq + 1
redis.call('HSET', KEYS[1], 'epoch', epoch, 'seq', seq, 'runner', ARGV[4], 'crashes', crashes, 'taken', ARGV[5])
local attempts = redis.call('HGETALL', KEYS[2])
for i = 1, #attempts, 2 do
  if #attempts > 64 and cmsgpack.unpack(attempts[i + 1])[4] < epoch - 1 then redis.call('HDEL', KEYS[2], attempts[i]) end
end
return {'acquired', seq, epoch, crashes}
`,
  'allow-oom',
)
