import { guard, placing } from './guard.ts'
import { type Script, script } from './script.ts'

/**
 * Lets messages in by one shard, and registers the keys of their calls.
 *
 * KEYS shard, attempts, ids, inbox, lanes, out, keys, key-times; the last two may be left out where nothing is registered.
 *
 * ARGV store, 0, seq that the caller knows; owner, instance of its driver, number of the write there, tag; count and
 * (shard or empty for this one, id, entity, body, epoch of the lease or empty) of messages; count and (key, at, fingerprint,
 * count and ids of its messages) of registrations.
 *
 * Answers {'accepted', seq, places, taken}: for each message its place, `f` for fenced, `t` for one whose key was taken,
 * and the keys that were taken as indexes of registrations, both in one text. The same attempt again answers the same; an
 * older one of the same driver, which came late by a connection that was given up, changes nothing: {'stale', seq}.
 */
export const accept: Script = script(`
-- Serves G5 (fence), G7 (attempt), G10 (taken), G12, G15 (guard).
${guard}
local ids, inbox, lanes, out = KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local before = redis.call('HGET', KEYS[2], ARGV[4])
if before then
  local row = cmsgpack.unpack(before)
  -- @attempt
  if row[3] == ARGV[7] then return {'accepted', seq, row[5], row[6]} end
  -- @stale
  if row[1] == ARGV[5] and row[2] > tonumber(ARGV[6]) then return {'stale', seq} end
end
local count, late, refused, registrations, taken = tonumber(ARGV[8]), {}, {}, {}, {}
for i = 1, count do
  local at = 8 + (i - 1) * 5
  -- @fence
  if ARGV[at + 5] ~= '' and tonumber(ARGV[at + 5]) ~= epoch then late[ARGV[at + 2]] = true end
end
local at = 9 + count * 5
for i = 1, tonumber(ARGV[at]) do
  local each = {key = ARGV[at + 1], time = ARGV[at + 2], print = ARGV[at + 3], messages = {}}
  local some = false
  for j = 1, tonumber(ARGV[at + 4]) do
    each.messages[j] = ARGV[at + 4 + j]
    some = some or late[each.messages[j]]
  end
  if some then for _, id in ipairs(each.messages) do late[id] = true end end
  at = at + 4 + #each.messages
  registrations[i] = each
end
${placing}
local purged = tonumber(shard[6] or 0)
for i, each in ipairs(registrations) do
  if not late[each.messages[1]] then
    -- @taken
    if tonumber(each.time) < purged or redis.call('HEXISTS', KEYS[7], each.key) == 1 then each.taken = true end
    if each.taken then
      taken[#taken + 1] = i - 1
      for _, id in ipairs(each.messages) do refused[id] = true end
    else
      redis.call('HSET', KEYS[7], each.key, cmsgpack.pack({each.messages[1], each.print}))
      redis.call('ZADD', KEYS[8], each.time, each.key)
    end
  end
end
local places = {}
for i = 1, count do
  local from = 8 + (i - 1) * 5
  local id = ARGV[from + 2]
  if late[id] then places[i] = 'f'
  elseif refused[id] then places[i] = 't'
  else places[i] = place(ARGV[from + 1], id, ARGV[from + 3], ARGV[from + 4]) end
end
local told, keys = table.concat(places, ' '), table.concat(taken, ' ')
redis.call('HSET', KEYS[2], ARGV[4], cmsgpack.pack({ARGV[5], tonumber(ARGV[6]), ARGV[7], epoch, told, keys}))
settle()
return {'accepted', seq, told, keys}
`)
