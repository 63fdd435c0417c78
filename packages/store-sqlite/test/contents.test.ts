import { DatabaseSync } from 'node:sqlite'
import type { HostId } from '@interstate/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sqliteStore } from '../src/index.ts'
import { SqliteStore } from '../src/sqlite-store.ts'
import { commit, group, leasesOf, message, order } from './hand.ts'
import { temporaryFile } from './temporary.ts'

const tables = ['entity', 'inbox', 'dead_letter', 'idempotency_key']

/** Every row of a closed file. */
function rowsOf(path: string, names: readonly string[] = tables): Readonly<Record<string, unknown>> {
  const db = new DatabaseSync(path)
  const rows = names.map((name) => [name, db.prepare(`SELECT * FROM ${name} ORDER BY 1, 2`).all()])
  db.close()
  return JSON.parse(JSON.stringify(Object.fromEntries(rows)))
}

const step = fc.record({ entity: fc.nat(5), sendsTo: fc.nat(5), wakeAt: fc.option(fc.nat(9), { nil: undefined }) })

test('G13: groups written together leave the same rows as the same commits written each on its own', async () => {
  const property = fc.asyncProperty(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 4 }), async (drawn) => {
    const write = async (mode: 'each' | 'together', one: boolean): Promise<unknown> => {
      const path = temporaryFile()
      const store = sqliteStore({ path, durability: 'process-crash-only' })
      const leases = await leasesOf(store)
      const versions = new Map<number, number>()
      let sent = 0
      const all = drawn.map((steps) =>
        steps.map(({ entity, sendsTo, wakeAt }) => {
          const expectedVersion = versions.get(entity) ?? 0
          versions.set(entity, expectedVersion + 1)
          sent += 1
          const outbox = [message(sent, order(sendsTo))]
          return commit(leases, order(entity), { expectedVersion, wakeAt, outbox, tag: `tag ${sent}` })
        }),
      )
      const groups = one ? all.flat().map((single) => [single]) : all
      for (const commits of groups) {
        const { results } = await store.write(group({ commits, mode }))
        expect(results.every(({ outcome }) => outcome === 'committed')).toBe(true)
      }
      await store.close()
      return rowsOf(path)
    }
    const alone = await write('each', true)
    expect(await write('each', false)).toEqual(alone)
    expect(await write('together', false)).toEqual(alone)
  })
  await fc.assert(property, { numRuns: 15 })
})

test('G17: of thousands of handled messages and many owners the file keeps no row but the entities', async () => {
  const path = temporaryFile()
  let version = 0
  for (let run = 0; run < 20; run += 1) {
    const store = sqliteStore({ path, durability: 'process-crash-only' })
    const owner = `host-${run}` as HostId
    const { leases } = await store.acquire(
      owner,
      Array.from({ length: store.shards }, (_, shard) => shard),
    )
    for (let count = 0; count < 10; count += 1) {
      const accepted = Array.from({ length: 20 }, (_, index) => message(`${version} ${index}`, order('only')))
      await store.write({ ...group({ accepted }), owner })
      const consumed = accepted.map(({ id }) => id)
      const commits = [commit(leases, order('only'), { expectedVersion: version, consumed })]
      await store.write({ ...group({ commits }), owner })
      version += 1
    }
    await store.close()
  }
  const rows = rowsOf(path, [...tables, 'attempt', 'store'])
  expect(Object.fromEntries(Object.entries(rows).map(([name, list]) => [name, (list as unknown[]).length]))).toEqual({
    entity: 1,
    inbox: 0,
    dead_letter: 0,
    idempotency_key: 0,
    // The last owner's, and the one before it, which was forgotten when it acquired.
    attempt: 1,
    store: 1,
  })
})

test('G18: every promise is tried on the file, at both levels of durability', async () => {
  for (const durability of ['full', 'process-crash-only'] as const) {
    const store = sqliteStore({ path: temporaryFile(), durability })
    const probes = await store.probe()
    expect(probes.filter(({ passed }) => passed).map(({ name }) => name)).toEqual([
      'sqlite version',
      'write-ahead log',
      'synchronous writes',
      'atomic transactions',
      'conditional writes',
      'exclusive ownership',
    ])
    await store.close()
  }
})

test('G18: a connection that was given another sync level, or another journal, fails its probe', async () => {
  const connections: DatabaseSync[] = []
  const connect = (path: string): DatabaseSync => {
    const db = new DatabaseSync(path)
    connections.push(db)
    return db
  }
  const store = new SqliteStore({ path: temporaryFile() }, connect)
  await store.probe()
  for (const db of connections) db.exec('PRAGMA synchronous = NORMAL; PRAGMA journal_mode = DELETE')
  const failed = (await store.probe()).filter(({ passed }) => !passed)
  expect(failed.map(({ name }) => name)).toEqual(['write-ahead log', 'synchronous writes'])
  await store.close()
})
