import { wholeGuard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Starts the row of crashes anew, where the owner still runs the shard (G11).
 *
 * KEYS shard. ARGV store, 0, 0; owner. Answers {'survived', seq}.
 */
export const survived: Script = script(
  `
${wholeGuard}
if shard[7] == ARGV[4] and shard[8] ~= '0' then
  seq = seq + 1
  redis.call('HSET', KEYS[1], 'crashes', 0, 'seq', seq)
end
return {'survived', seq}
`,
  'allow-oom',
)
