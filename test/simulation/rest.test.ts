// At rest nothing waits that could be delivered: what is still there is judged from what the store holds.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MemoryStore } from '@interstate/store-memory'
import { world } from '@interstate/testing'
import { expect, test } from 'vitest'
import { found } from './found.ts'
import { lamp, toPress, watcher } from './lamp.ts'
import { storeOf } from './stores.ts'

test('a runtime that drops its backlog is found: what it should have handled waits at rest', async () => {
  const program = join(import.meta.dirname, 'planted-backlog.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@interstate/source', program])
  const { finding, what, steps } = JSON.parse(stdout)
  expect(finding).toBe('GUARANTEE_BROKEN G16')
  expect(what).toMatch(/waits for .+, which could take it, and no host does anything about it/)
  expect(steps).toBeLessThanOrEqual(12)
}, 60_000)

/** Hides a message from whoever asks for very many: from who takes stock. */
class HidesAMessage extends MemoryStore {
  override async inbox(...asked: Parameters<MemoryStore['inbox']>): ReturnType<MemoryStore['inbox']> {
    const rows = await super.inbox(...asked)
    return asked[2] > 100_000 ? rows.slice(1) : rows
  }
}

test('a message that waits for a person, and that the store does not hold any more, is missed at rest', async () => {
  const house = world({ entities: [lamp, watcher] })
    .stimuli({ press: toPress })
    .accept('MESSAGE_UNHANDLED watcher lamp.Dark')
  const error = await found(house.simulate({ stores: [storeOf(HidesAMessage)] }))
  expect(error.finding).toBe('GUARANTEE_BROKEN G2')
  expect(error.message).toContain('was sent to watcher/hall, and is not in its inbox')
})
