import { type Script, script } from './script.ts'

/** What {@link look} and `beat` answer. */
export const view = `
return {redis.call('HVALS', KEYS[1]), redis.call('HMGET', KEYS[2], 'version', 'owners'), redis.call('HGETALL', KEYS[3])}
`

/**
 * What hosts know of each other, of one moment: an assignment never comes with hosts of before it or after it.
 *
 * KEYS hosts, assignment, halts. No ARGV. Answers {(beat and record of a host)..., {version, owners}, (shard, finding)...}.
 */
export const look: Script = script(view, 'no-writes')
