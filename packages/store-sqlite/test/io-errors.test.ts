import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { partitionOf, partitionsOf } from '@interstate/core'
import { expect, test } from 'vitest'
import { SqliteStore } from '../src/sqlite-store.ts'
import { commit, group, leasesOf, message, order, refusal } from './hand.ts'
import { writeElsewhereWithin } from './other-process.ts'
import { temporaryFile } from './temporary.ts'

/** A connection whose statements fail as if the disk did. */
class FailingDatabase extends DatabaseSync {
  failing: { readonly sql: string; readonly errcode: number } | undefined

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql)
    const failIfToldTo = () => {
      if (this.failing !== undefined && sql.includes(this.failing.sql)) {
        throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: this.failing.errcode })
      }
    }
    return new Proxy(statement, {
      get: (target, name: keyof StatementSync) => {
        const member = target[name]
        if (typeof member !== 'function') return member
        return (...args: readonly unknown[]) => {
          failIfToldTo()
          return Reflect.apply(member, target, args)
        }
      },
    })
  }
}

function failingStore() {
  const path = temporaryFile()
  const made: FailingDatabase[] = []
  const connect = (file: string): DatabaseSync => {
    const db = new FailingDatabase(file)
    made.push(db)
    return db
  }
  const store = new SqliteStore({ path }, connect)
  const failAt = (sql: string, errcode: number) => {
    for (const db of made) db.failing = { sql, errcode }
  }
  const heal = () => {
    for (const db of made) db.failing = undefined
  }
  return { store, path, failAt, heal }
}

// https://sqlite.org/rescode.html
const ioErrors = { SQLITE_IOERR_FSYNC: 1034, SQLITE_IOERR_WRITE: 778, SQLITE_IOERR: 10, SQLITE_CORRUPT: 11 }

for (const [name, errcode] of Object.entries(ioErrors)) {
  test(`after ${name} at a commit the store acknowledges nothing any more, however healthy the disk looks`, async () => {
    const { store, failAt, heal } = failingStore()
    const leases = await leasesOf(store)
    await store.write(group({ commits: [commit(leases, order('before'))] }))
    failAt('COMMIT', errcode)
    expect(await refusal(store.write(group({ commits: [commit(leases, order('at'))] })))).toBe('STORE_FENCED')
    heal()
    const calls = [
      store.write(group({ commits: [commit(leases, order('after'))] })),
      store.write(group({ accepted: [message('a', order('after'))] })),
      store.load(partitionsOf([order('before')], store.shards)),
      store.inbox([0], 0, 1),
      store.keys([]),
      store.due([0], 1, 1),
      store.acquire(leases[0]?.owner ?? ('' as never), [0]),
      store.probe(),
      store.purge(1),
      store.requeue('message' as never),
    ]
    expect(await Promise.all(calls.map(refusal))).toEqual(calls.map(() => 'STORE_FENCED'))
    await store.close()
  })
}

test('what was acknowledged before an I/O error is there for the next process', async () => {
  const { store, path, failAt } = failingStore()
  const leases = await leasesOf(store)
  await store.write(group({ commits: [commit(leases, order('before'), { snapshot: 'kept' })] }))
  failAt('COMMIT', ioErrors.SQLITE_IOERR_FSYNC)
  await refusal(store.write(group({ commits: [commit(leases, order('at'))] })))
  await store.close()
  const next = new SqliteStore({ path })
  expect((await next.load(partitionsOf([order('before')], next.shards)))[0]?.snapshot).toBe('kept')
  expect(await refusal(leasesOf(next))).toBe('not refused')
  await next.close()
})

test('a write that the operating system refuses fences the store, and what was acknowledged is kept', async () => {
  const path = temporaryFile()
  const said = writeElsewhereWithin(path, 500)
  const acknowledged = said.indexOf('STORE_FENCED')
  expect(acknowledged).toBeGreaterThan(0)
  expect(said.slice(0, acknowledged)).toEqual(said.slice(0, acknowledged).map(() => 'not refused'))
  expect(said.slice(acknowledged)).toEqual(['STORE_FENCED', 'STORE_FENCED', 'not refused'])
  const next = new SqliteStore({ path })
  const rows = await next.load(
    partitionsOf(
      Array.from({ length: acknowledged }, (_, index) => order(index)),
      next.shards,
    ),
  )
  expect(rows.map((row) => row?.snapshot?.length)).toEqual(rows.map(() => 10_000))
  await next.close()
})

test('a checkpoint that fails to sync fences the store before the next group is acknowledged', async () => {
  const { store, failAt } = failingStore()
  const leases = await leasesOf(store)
  failAt('wal_checkpoint', ioErrors.SQLITE_IOERR_FSYNC)
  const outcomes: string[] = []
  for (let count = 0; count < 8 && outcomes.at(-1) !== 'STORE_FENCED'; count += 1) {
    const commits = Array.from({ length: 2_500 }, (_, index) => commit(leases, order(`${count} ${index}`)))
    outcomes.push(await refusal(store.write(group({ commits, mode: 'together' }))))
  }
  expect(outcomes.at(-1)).toBe('STORE_FENCED')
  expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(['not refused']))
})

test('a checkpoint without room on the disk does not stop writes for which the log has room', async () => {
  const { store, failAt } = failingStore()
  const leases = await leasesOf(store)
  failAt('wal_checkpoint', 13)
  for (let count = 0; count < 8; count += 1) {
    const commits = Array.from({ length: 2_500 }, (_, index) => commit(leases, order(`${count} ${index}`)))
    expect(await refusal(store.write(group({ commits, mode: 'together' })))).toBe('not refused')
  }
})

test('any other error takes its group back, and the store goes on', async () => {
  const { store, failAt, heal } = failingStore()
  const leases = await leasesOf(store)
  failAt('COMMIT', 8)
  const attempt = group({ accepted: [message('a', order('x'))], commits: [commit(leases, order('x'))] })
  expect(await refusal(store.write(attempt))).toBe('STORE_FAILED')
  heal()
  expect(await store.load(partitionsOf([order('x')], store.shards))).toEqual([undefined])
  expect((await store.write(attempt)).results).toEqual([{ outcome: 'committed', version: 1 }])
  expect(await store.inboxOf(partitionOf(order('x'), store.shards), 0, 10)).toHaveLength(1)
  await store.close()
})

test('a value that SQLite cannot hold is an error of one group and not of the store', async () => {
  const { store } = failingStore()
  const leases = await leasesOf(store)
  const impossible = commit(leases, order('x'), { snapshot: { not: 'text' } as unknown as string })
  expect(await refusal(store.write(group({ commits: [commit(leases, order('y')), impossible] })))).toBe('STORE_FAILED')
  expect(await store.load(partitionsOf([order('x'), order('y')], store.shards))).toEqual([undefined, undefined])
  await store.close()
})
