import { type Script, script } from './script.ts'

/**
 * Says that all records are made: from now on a missing one was lost (G15). Not said of a store that somebody has made anew.
 *
 * KEYS identity. ARGV id. Answers 1.
 */
export const ready: Script = script(`
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('HSET', KEYS[1], 'state', 'ready') end
return 1
`)
