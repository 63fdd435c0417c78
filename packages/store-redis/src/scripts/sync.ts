import { guard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * A tiny write: a WAIT behind it, on the same connection, covers everything that this server has written before, whichever
 * connection wrote it. It looks whether the shard still has what was acknowledged: after a failover it may not (G15).
 *
 * KEYS shard. ARGV store, 0, seq that the caller knows. Answers {'synced', seq}.
 */
export const sync: Script = script(
  `
${guard}
redis.call('HSET', KEYS[1], 'synced', seq)
return {'synced', seq}
`,
  'allow-oom',
)
