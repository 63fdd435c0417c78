import { guard, placing } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Writes one commit, all of it or none (G3).
 *
 * KEYS shard, entity, ids, inbox, wake, unsettled, attempts, lanes, out, keys, dead, dead-ids; those that nothing goes to may be
 * left out from the end.
 *
 * ARGV store, epoch of the lease, seq that the caller knows; tag, expected version, entity, its row, wakeAt or `-`,
 * unsettled 0 or 1, tag of the commit of this entity before it in the same group or empty, owner, tag of the group; count and
 * ids of consumed messages; count and (shard or empty for this one, id, entity, body) of
 * outgoing messages; count and (key, reply) of replies; count and (id, entity, body, reason) of dead letters.
 *
 * Answers {outcome, seq, detail}: the version of `committed`, `already applied` and `conflict`, the epoch of `fenced`,
 * the message of `duplicate`; `committed` goes on with the places of the outbox.
 */
export const commit: Script = script(`
-- Serves G1 (consumed), G3, G4 (version), G5 (fence), G15 (guard).
${guard}
local ids, inbox, lanes, out = KEYS[3], KEYS[4], KEYS[8], KEYS[9]
local tag, expected, entity = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local version, wake, unsettled, last = string.match(redis.call('GETRANGE', KEYS[2], 0, 4095), '^(%d+) (%S+) (%d) %S+ %S+ (%S*)\\n')
version = tonumber(version or 0)
local age = 0
-- The row bears the tags of all commits of its last group, newest first: all of them may be asked for again.
for each in string.gmatch(last or '', '[^,]+') do
  -- @applied
  if each == tag then return {'already applied', seq, version - age} end
  age = age + 1
end
-- What was refused stays refused: a group that is written again changes nothing, whatever became possible since.
local remembered, refused = '!' .. ARGV[11], redis.call('HGET', KEYS[7], '!' .. ARGV[11])
if refused then
  refused = cmsgpack.unpack(refused)
  local same = refused[1] == ARGV[12] and refused[2][tag]
  -- @refused
  if same then return {same[1], seq, same[2]} end
end
local function refuse(outcome, detail)
  if not refused or refused[1] ~= ARGV[12] then refused = {ARGV[12], {}, 0, epoch} end
  refused[2][tag] = {outcome, detail}
  redis.call('HSET', KEYS[7], remembered, cmsgpack.pack(refused))
  return {outcome, seq, detail}
end
-- @fence
if epoch ~= tonumber(ARGV[2]) then return refuse('fenced', epoch) end
-- @version
if version ~= expected then return refuse('conflict', version) end
local consumed, positions, seen = tonumber(ARGV[13]), {}, {}
for i = 1, consumed do
  local id = ARGV[13 + i]
  local waiting, at, to = redis.call('HGET', ids, id)
  if waiting then at, to = string.match(waiting, '^(%d+) (.*)$') end
  -- @consumed
  if to ~= entity or seen[id] then return refuse('duplicate', id) end
  seen[id], positions[i] = true, at
end
${placing}
local row = ARGV[7]
if ARGV[10] ~= '' and ARGV[10] == string.match(last or '', '^[^,]+') and #last < 3500 then
  local cut = string.find(row, '\\n', 1, true)
  row = string.sub(row, 1, cut - 1) .. ',' .. last .. string.sub(row, cut)
end
redis.call('SET', KEYS[2], row)
for i = 1, consumed do
  redis.call('HDEL', ids, ARGV[13 + i])
  if positions[i] then redis.call('XDEL', inbox, positions[i] .. '-0') end
end
local answer, at = {'committed', 0, expected + 1}, 14 + consumed
for _ = 1, tonumber(ARGV[at]) do
  answer[#answer + 1] = place(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  at = at + 4
end
if (wake or '-') ~= ARGV[8] then
  if ARGV[8] == '-' then redis.call('ZREM', KEYS[5], entity) else redis.call('ZADD', KEYS[5], ARGV[8], entity) end
end
if (unsettled or '0') ~= ARGV[9] then
  if ARGV[9] == '0' then redis.call('ZREM', KEYS[6], entity) else redis.call('ZADD', KEYS[6], 0, entity) end
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local known = redis.call('HGET', KEYS[10], ARGV[at + 1])
  if known then
    local row = cmsgpack.unpack(known)
    -- The first reply stands.
    if not row[3] then redis.call('HSET', KEYS[10], ARGV[at + 1], cmsgpack.pack({row[1], row[2], ARGV[at + 2]})) end
  end
  at = at + 2
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  redis.call('HSET', KEYS[11], ARGV[at + 1], cmsgpack.pack({ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]}))
  redis.call('ZADD', KEYS[12], 0, ARGV[at + 1])
  at = at + 4
end
settle()
answer[2] = seq
return answer
`)
