import { type Script, script } from './script.ts'

/**
 * Makes the record of a shard where there is none: only while the store is `creating`. Later one that is missing was lost, and
 * nothing but `rebase` makes it again (G15).
 *
 * KEYS shard. ARGV mark of the store. Answers the mark that stands then: another one is that of another store.
 */
export const found: Script = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'store', ARGV[1], 'epoch', 0, 'seq', 0, 'position', 0, 'departing', 0)
end
return redis.call('HGET', KEYS[1], 'store') or ''
`)
