import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { partitionOf, partitionsOf } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { sqliteStore } from '../src/index.ts'
import { commit, group, leasesOf, order, refusal } from './hand.ts'
import { openElsewhere, writeElsewhereAndKill } from './other-process.ts'
import { temporaryFile } from './temporary.ts'

/** Every file in the folder of a store, with its bytes. */
function folderOf(path: string): Readonly<Record<string, string>> {
  const folder = dirname(path)
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')]))
}

async function made(path: string, options: { readonly shards?: number } = {}): Promise<void> {
  const store = sqliteStore({ path, ...options })
  const leases = await leasesOf(store)
  await store.write(group({ commits: [commit(leases, order('first'), { snapshot: 'kept' })] }))
  await store.close()
}

describe("a file that is not a store's is refused and stays as it is, byte for byte, with nothing beside it", () => {
  const contents: Readonly<Record<string, string | Buffer>> = {
    'one byte': 'x',
    text: 'Dear diary, today I made a machine.',
    'a large file': Buffer.alloc(100_000, 7),
    'the beginning of a database': 'SQLite format 3\0',
  }
  for (const [what, bytes] of Object.entries(contents)) {
    test(what, async () => {
      const path = temporaryFile()
      writeFileSync(path, bytes)
      const before = folderOf(path)
      expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_FOREIGN')
      expect(folderOf(path)).toEqual(before)
    })
  }

  test('a database of another program, with a write-ahead log and while that program uses it', async () => {
    const path = temporaryFile()
    const theirs = new DatabaseSync(path)
    theirs.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE diary (day TEXT)')
    theirs.exec("INSERT INTO diary VALUES ('today')")
    expect(readdirSync(dirname(path))).toEqual(['store.db', 'store.db-wal'])
    expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_FOREIGN')
    expect(readdirSync(dirname(path))).toEqual(['store.db', 'store.db-wal'])
    expect(theirs.prepare('SELECT * FROM diary').all()).toHaveLength(1)
    theirs.close()
    const before = folderOf(path)
    expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_FOREIGN')
    expect(folderOf(path)).toEqual(before)
  })
})

test('a file of a newer version is refused and stays as it is', async () => {
  const path = temporaryFile()
  await made(path)
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  const before = folderOf(path)
  expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_NEWER')
  expect(folderOf(path)).toEqual(before)
})

test('a folder that is not there is named, and the same store opens once it is', async () => {
  const folder = dirname(temporaryFile())
  rmdirSync(folder)
  const store = sqliteStore({ path: join(folder, 'store.db') })
  await expect(store.probe()).rejects.toMatchObject({ code: 'STORE_FAILED', details: { folder } })
  expect(existsSync(folder)).toBe(false)
  mkdirSync(folder)
  expect(await refusal(store.probe())).toBe('not refused')
  await store.close()
})

test('a path that is a folder is refused', async () => {
  const path = dirname(temporaryFile())
  expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_FOREIGN')
})

test('a store in memory is refused, because this one is a file', async () => {
  for (const path of [':memory:', '']) expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_UNFIT')
  expect(existsSync(':memory:')).toBe(false)
})

test('an empty file becomes a store', async () => {
  const path = temporaryFile()
  writeFileSync(path, '')
  await made(path)
  expect(readFileSync(path).toString('latin1', 0, 15)).toBe('SQLite format 3')
})

test('beside an open store stand its log and its lock; a closed one leaves its file alone', async () => {
  const path = temporaryFile()
  const store = sqliteStore({ path })
  await leasesOf(store)
  expect(readdirSync(dirname(path))).toEqual(['store.db', 'store.db-lock', 'store.db-wal'])
  await store.close()
  expect(readdirSync(dirname(path))).toEqual(['store.db'])
})

test('what a crash left of a file that was being made is in nobody’s way', async () => {
  const path = temporaryFile()
  writeFileSync(`${path}-new`, 'half a page')
  writeFileSync(`${path}-new-journal`, 'half a journal')
  await made(path)
  expect(readdirSync(dirname(path))).toEqual(['store.db'])
})

describe('the number of shards', () => {
  test('is 64 unless told otherwise, and kept', async () => {
    const path = temporaryFile()
    await made(path)
    expect(sqliteStore({ path }).shards).toBe(64)
  })

  test('is what the file was made with, and another one is refused', async () => {
    const path = temporaryFile()
    await made(path, { shards: 8 })
    const store = sqliteStore({ path })
    expect(store.shards).toBe(8)
    await store.close()
    expect(await refusal(sqliteStore({ path, shards: 16 }).probe())).toBe('STORE_UNFIT')
    expect(await refusal(sqliteStore({ path, shards: 8 }).probe())).toBe('not refused')
  })

  test.each([0, -1, 1.5, Number.NaN, 65_537])('cannot be %d, and then no file is made', async (shards) => {
    const path = temporaryFile()
    expect(await refusal(sqliteStore({ path, shards }).probe())).toBe('STORE_UNFIT')
    expect(readdirSync(dirname(path))).toEqual([])
  })
})

describe('one process owns the file', () => {
  test('a second store in the same process is refused until the first one closes', async () => {
    const path = temporaryFile()
    const [first, second] = [sqliteStore({ path }), sqliteStore({ path })]
    await first.probe()
    expect(await refusal(second.probe())).toBe('STORE_IN_USE')
    await leasesOf(first)
    await first.close()
    expect(await refusal(second.probe())).toBe('not refused')
    await second.close()
  })

  test('a second process is refused until the first one closes, also after the second store of the first was', async () => {
    const path = temporaryFile()
    const store = sqliteStore({ path })
    await store.probe()
    expect(openElsewhere(path)).toBe('STORE_IN_USE')
    expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_IN_USE')
    expect(openElsewhere(path)).toBe('STORE_IN_USE')
    await leasesOf(store)
    await store.close()
    expect(openElsewhere(path)).toBe('not refused')
  })

  test('a process that reads its own file, for a backup say, still owns it', async () => {
    const path = temporaryFile()
    const store = sqliteStore({ path })
    await store.probe()
    readFileSync(path)
    expect(openElsewhere(path)).toBe('STORE_IN_USE')
    await store.close()
  })

  test('another program that reads the file is in the way, and told so', async () => {
    const path = temporaryFile()
    await made(path)
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN; SELECT * FROM store')
    expect(await refusal(sqliteStore({ path }).probe())).toBe('STORE_IN_USE')
    reader.close()
    expect(await refusal(sqliteStore({ path }).probe())).toBe('not refused')
  })

  test('a process that was killed leaves the file free, and in it all that it acknowledged', async () => {
    const path = temporaryFile()
    const acknowledged = await writeElsewhereAndKill(path, 40)
    expect(acknowledged).toBeGreaterThanOrEqual(40)
    expect(readdirSync(dirname(path))).toEqual(['store.db', 'store.db-lock', 'store.db-wal'])
    const store = sqliteStore({ path })
    const entities = Array.from({ length: acknowledged }, (_, index) => order(index))
    const rows = await store.load(partitionsOf(entities, store.shards))
    expect(rows.map((row) => row?.snapshot)).toEqual(entities.map((_, index) => `${index}`))
    const waiting = await store.inboxOf(partitionOf(order('receiver'), store.shards), 0, 10_000)
    expect(waiting.length).toBeGreaterThanOrEqual(acknowledged)
    await store.close()
    expect(readdirSync(dirname(path))).toEqual(['store.db'])
  })
})

test('a closed store answers nothing any more, and closing it again is no error', async () => {
  const store = sqliteStore({ path: temporaryFile() })
  await store.probe()
  await store.close()
  await store.close()
  expect(await refusal(store.load(partitionsOf([order('a')], 64)))).toBe('STORE_FAILED')
})

test('G8: a process killed in the middle of a checkpoint leaves a file that opens, with all that was acknowledged', async () => {
  const path = temporaryFile()
  const store = sqliteStore({ path })
  const leases = await leasesOf(store)
  const commits = Array.from({ length: 500 }, (_, n) => commit(leases, order(`o${n}`), { snapshot: 'x'.repeat(300) }))
  await store.write(group({ commits }))
  // Page 1, with the new size of the file, has been moved from the log into the file; the pages after it have not.
  const halfway = temporaryFile()
  const log = readFileSync(`${path}-wal`)
  writeFileSync(`${halfway}-wal`, log)
  const file = readFileSync(path)
  pageOne(log).copy(file)
  writeFileSync(halfway, file)
  expect(() => new DatabaseSync(`file:${halfway}?immutable=1`).prepare('SELECT * FROM entities').all()).toThrow(
    /malformed|disk image/,
  )
  const again = sqliteStore({ path: halfway })
  await again.probe()
  expect(
    (await again.load(partitionsOf([order('o0'), order('o499')], again.shards))).map((row) => row?.snapshot?.length),
  ).toEqual([300, 300])
  await again.close()
  await store.close()
})

/** The last image of page 1 in a write-ahead log (https://sqlite.org/fileformat2.html#the_write_ahead_log). */
function pageOne(log: Buffer): Buffer {
  const size = log.readUInt32BE(8)
  let found: Buffer | undefined
  for (let at = 32; at + 24 + size <= log.length; at += 24 + size) {
    if (log.readUInt32BE(at) === 1) found = log.subarray(at + 24, at + 24 + size)
  }
  if (found === undefined) throw new Error('the log does not hold page 1')
  return found
}
