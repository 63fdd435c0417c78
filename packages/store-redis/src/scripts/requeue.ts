import { placing, wholeGuard } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Moves a dead letter to the end of its entity's inbox (G12).
 *
 * KEYS shard, dead, dead-ids, ids, inbox. ARGV store, 0, seq that the caller knows; id, tag. Answers {'requeued', seq,
 * position, entity, body}, or {'none', seq}. The same tag again answers the same, as long as no other letter was moved.
 */
export const requeue: Script = script(`
${wholeGuard}
local ids, inbox, lanes, out = KEYS[4], KEYS[5], '', ''
${placing}
if shard[10] then
  local row = cmsgpack.unpack(shard[10])
  if row[1] == ARGV[5] then return {'requeued', seq, row[2], row[3], row[4]} end
end
local stored = redis.call('HGET', KEYS[2], ARGV[4])
if not stored then return {'none', seq} end
local letter = cmsgpack.unpack(stored)
redis.call('HDEL', KEYS[2], ARGV[4])
redis.call('ZREM', KEYS[3], ARGV[4])
local at = enter(ARGV[4], letter[1], letter[2])
settle()
redis.call('HSET', KEYS[1], 'requeued', cmsgpack.pack({ARGV[5], at, letter[1], letter[2]}))
return {'requeued', seq, at, letter[1], letter[2]}
`)
