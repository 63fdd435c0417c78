import { DatabaseSync } from 'node:sqlite'
import { partitionOf, partitionsOf } from '@interstate/core'
import { expect, test } from 'vitest'
import { SqliteStore } from '../src/sqlite-store.ts'
import { commit, group, leasesOf, message, order, refusal } from './hand.ts'
import { temporaryFile } from './temporary.ts'

/** A store on a disk that holds 4 MB until it grows. */
function storeOnSmallDisk() {
  let db: DatabaseSync | undefined
  const connect = (path: string): DatabaseSync => {
    db = new DatabaseSync(path)
    db.exec('PRAGMA max_page_count = 1000')
    return db
  }
  const grow = () => db?.exec('PRAGMA max_page_count = 100000')
  return { store: new SqliteStore({ path: temporaryFile() }, connect), grow }
}

for (const mode of ['each', 'together'] as const) {
  test(`a group for which the disk has no room changes nothing, and is written when there is room (${mode})`, async () => {
    const { store, grow } = storeOnSmallDisk()
    const leases = await leasesOf(store)
    const [small, large] = [order('small'), order('large')]
    await store.write(group({ mode, commits: [commit(leases, small, { snapshot: 'before' })] }))
    const tooMuch = group({
      mode,
      accepted: [message('a', small)],
      commits: [
        commit(leases, small, { expectedVersion: 1, snapshot: 'after', outbox: [message('b', small)] }),
        commit(leases, large, { snapshot: 'x'.repeat(5_000_000) }),
      ],
    })
    for (const _ of [1, 2]) {
      expect(await refusal(store.write(tooMuch))).toBe('STORE_FULL')
      expect((await store.load(partitionsOf([small, large], store.shards))).map((row) => row?.snapshot)).toEqual([
        'before',
        undefined,
      ])
      expect(await store.inboxOf(partitionOf(small, store.shards), 0, 10)).toEqual([])
    }
    const little = await store.write(
      group({ mode, commits: [commit(leases, small, { expectedVersion: 1, snapshot: 'little' })] }),
    )
    expect(little.results).toEqual([{ outcome: 'committed', version: 2 }])
    grow()
    const again = { ...tooMuch, commits: tooMuch.commits.slice(1) }
    expect((await store.write(again)).results).toEqual([{ outcome: 'committed', version: 1 }])
    expect(await store.inboxOf(partitionOf(small, store.shards), 0, 10)).toHaveLength(1)
    await store.close()
  })
}
