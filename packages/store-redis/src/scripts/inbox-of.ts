import { type Script, script } from './script.ts'

/**
 * The waiting messages of one entity, in their order (G6). Looks at some 5,000 of the shard at most, so that no call holds up
 * the server for long.
 *
 * KEYS inbox. ARGV entity, position to start after, limit. Answers {last position looked at or `end`, (position, id, body)...}.
 */
export const inboxOf: Script = script(
  `
local found, after, limit, looked = {}, ARGV[2], tonumber(ARGV[3]), 0
while looked < 5000 do
  local page = redis.call('XRANGE', KEYS[1], '(' .. after .. '-18446744073709551615', '+', 'COUNT', 250)
  for _, row in ipairs(page) do
    after = string.match(row[1], '^%d+')
    if row[2][4] == ARGV[1] then
      found[#found + 1] = after
      found[#found + 1] = row[2][2]
      found[#found + 1] = row[2][6]
      if #found >= limit * 3 then return {after, found} end
    end
  end
  if #page < 250 then return {'end', found} end
  looked = looked + 250
end
return {after, found}
`,
  'no-writes',
)
