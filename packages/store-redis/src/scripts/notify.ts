import { type Script, script } from './script.ts'

/**
 * Leaves words for a host and rings its bell, in this order, so that who hears it finds them. Words are hints: of too many
 * the newest are kept, and one that comes twice or never changes only how soon something is seen (G17).
 *
 * KEYS notes, bell (a channel). ARGV most notes to keep, milliseconds to keep them, notes. Answers 1.
 */
export const notify: Script = script(`
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', KEYS[2], '')
return 1
`)
