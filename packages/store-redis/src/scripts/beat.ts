import { view } from './look.ts'
import { type Script, script } from './script.ts'

/**
 * Tells that a host lives, and looks: what it sees has its own beat in it, so that none is struck out by one that is older.
 *
 * KEYS hosts, assignment, halts. ARGV host, beat, record. Answers as `look`. Again it changes nothing.
 */
export const beat: Script = script(
  `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])\n${view}`,
  'allow-oom',
)
