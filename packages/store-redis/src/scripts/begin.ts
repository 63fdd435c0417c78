import { type Script, script } from './script.ts'

/**
 * Writes who the store is, where nobody has yet. Of several hosts that begin at the same time one decides, for all (O2).
 *
 * KEYS identity. ARGV id, shards, format. Answers 1, and leaves an identity that is there.
 */
export const begin: Script = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'shards', ARGV[2], 'format', ARGV[3], 'state', 'creating')
end
return 1
`)
