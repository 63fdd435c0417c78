import { wholeGuard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Gives a shard back. A lease that passed on is not the old owner's to give back (G5), and one that is given back
 * in good order has not crashed (G11).
 *
 * KEYS shard. ARGV store, 0, 0; epoch. Answers {'released', seq}.
 */
export const release: Script = script(
  `
${wholeGuard}
if epoch == tonumber(ARGV[4]) and shard[7] then
  seq = seq + 1
  redis.call('HDEL', KEYS[1], 'runner')
  redis.call('HSET', KEYS[1], 'crashes', 0, 'seq', seq)
end
return {'released', seq}
`,
  'allow-oom',
)
