import { type Script, script } from './script.ts'

/**
 * What a shard has sent and has not trimmed. Each lane gets its share of the limit, so that one that stands still leaves
 * room for the others (G11).
 *
 * KEYS lanes, out. ARGV limit. Answers a list of {to, (number, chain, id, entity, body)...}.
 */
export const departures: Script = script(
  `
local heads, busy = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #heads, 2 do
  local number, trimmed = string.match(heads[i + 1], '^(%d+) %x* (%d+)$')
  if tonumber(number) > tonumber(trimmed) then busy[#busy + 1] = {heads[i], tonumber(trimmed), tonumber(number)} end
end
local share, answer = math.max(1, math.floor(tonumber(ARGV[1]) / math.max(1, #busy))), {}
for _, lane in ipairs(busy) do
  local told = {lane[1]}
  for number = lane[2] + 1, math.min(lane[3], lane[2] + share) do
    local name = string.format('%.0f', number)
    local stored = redis.call('HGET', KEYS[2], lane[1] .. '.' .. name)
    if not stored then break end
    local row = cmsgpack.unpack(stored)
    told[#told + 1] = name
    for i = 1, 4 do told[#told + 1] = row[i] end
  end
  if #told > 1 then answer[#answer + 1] = told end
end
return answer
`,
  'no-writes',
)
