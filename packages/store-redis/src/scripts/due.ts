import { type Script, script } from './script.ts'

/**
 * Who wants a turn between two moments (G9). A script because a plain command gives scores in another form by protocol.
 *
 * KEYS wake. ARGV lowest, highest, limit. Answers (entity, wakeAt)... soonest first.
 */
export const due: Script = script(
  `return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])`,
  'no-writes',
)
