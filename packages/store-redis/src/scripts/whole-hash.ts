import { type Script, script } from './script.ts'

/**
 * A hash of one moment, as the heads and marks of lanes are compared (G15). A script because a plain command gives it in
 * another form by protocol.
 *
 * KEYS a hash. No ARGV. Answers (field, value)... in no order.
 */
export const wholeHash: Script = script(`return redis.call('HGETALL', KEYS[1])`, 'no-writes')
