// storage.test.ts: how much of the past is kept: what somebody may still read, and no more.
import { expect, test } from 'vitest'
import { Storage } from './storage.ts'

const key = [7, 'x']
const versionOf = (n: number, item: { id: string } | undefined) => ({
  id: item?.id ?? 'head',
  version: { item, etag: `${n}`, rid: `r${n}`, bytes: 1, terms: new Set<string>() },
})
const versionsIn = (storage: Storage): number =>
  [...storage.partitions.values()]
    .flatMap(({ items }) => [...items.values()])
    .reduce((sum, { length }) => sum + length, 0)

test('the past that no reader sees any more is forgotten, deleted items with it', () => {
  const storage = new Storage(100)
  for (let n = 0; n < 10_000; n += 1) {
    const gone = n % 10 === 9
    storage.write(key, [versionOf(n, { id: 'head' })], n)
    storage.write([7, `spill-${Math.floor(n / 10)}`], [{ ...versionOf(n, gone ? undefined : { id: 'a' }), id: 'a' }], n)
  }
  expect(versionsIn(storage)).toBeLessThan(250)
  expect(storage.partitions.size).toBeLessThan(15)
  expect(storage.find(storage.partition(key), 'head', storage.lsnAt(9_999 - 100))?.etag).toBe('9899')
})

test('a mark keeps the past until it is released', () => {
  const storage = new Storage(0)
  storage.write(key, [versionOf(0, { id: 'head' })], 0)
  const mark = storage.mark()
  for (let n = 1; n < 1_000; n += 1) storage.write(key, [versionOf(n, { id: 'head' })], n)
  expect(storage.find(storage.partition(key), 'head', mark.lsn)?.etag).toBe('0')
  mark.release()
  storage.write(key, [versionOf(1_000, { id: 'head' })], 1_000)
  expect(versionsIn(storage)).toBe(1)
})
