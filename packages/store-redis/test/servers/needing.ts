// needing.ts: tests that need a Redis server.
// @boundaries-ignore What a machine may lack, and what becomes of the tests then, is said in one place for all packages.
import { describeWith } from '../../../../test/crash/needing.ts'
// @boundaries-ignore As above.
import { redisServer } from '../../../../test/tools.ts'

export function hasRedis(): boolean {
  return redisServer.isHere()
}

/** Tests that run where a Redis server is here, are skipped loudly where it isn't, and fail there in CI. */
export function describeWithRedis(name: string, body: () => void): void {
  describeWith(redisServer, name, body)
}
