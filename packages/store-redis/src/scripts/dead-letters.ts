import { type Script, script } from './script.ts'

/**
 * Dead letters by id, for a person to see (G12).
 *
 * KEYS dead. ARGV ids. Answers {entity, body, reason} for each, empty where there is none.
 */
export const deadLetters: Script = script(
  `
local answer = {}
for i = 1, #ARGV do
  local stored = redis.call('HGET', KEYS[1], ARGV[i])
  answer[i] = stored and cmsgpack.unpack(stored) or {}
end
return answer
`,
  'no-writes',
)
