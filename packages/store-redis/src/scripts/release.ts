import { wholeGuard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Gives a shard back. A lease that passed on is not the old owner's to give back (G5). One that is given back
 * in good order is no crash (G11): nobody runs it then.
 *
 * KEYS shard. ARGV store, 0, 0; epoch. Answers {'released', seq}.
 */
export const release: Script = script(
  `
${wholeGuard}
if epoch == tonumber(ARGV[4]) and shard[7] then
  seq = seq + 1
  redis.call('HDEL', KEYS[1], 'runner')
  redis.call('HSET', KEYS[1], 'seq', seq)
end
return {'released', seq}
`,
  'allow-oom',
)
