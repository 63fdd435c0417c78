import { describe, expect, test } from 'vitest'
import { type HostId, type HostRecord, proposeOwners } from '../src/index.ts'

const shards = 512

function record(host: string, said: Partial<Omit<HostRecord, 'host'>> = {}): HostRecord {
  return { host: host as HostId, beat: 1, weight: 1, pins: [], runs: { order: '1' }, ...said }
}

/** How many shards each host is to run. */
function partsOf(hosts: readonly HostRecord[], count = shards): Readonly<Record<string, number>> {
  const parts: Record<string, number> = Object.fromEntries(hosts.map(({ host }) => [host, 0]))
  for (const owner of proposeOwners(hosts, count)) parts[owner ?? 'nobody'] = (parts[owner ?? 'nobody'] ?? 0) + 1
  return parts
}

/** From whom to whom shards go with a change, each pair once. */
function moves(before: readonly HostRecord[], after: readonly HostRecord[]): readonly string[] {
  const [was, is] = [proposeOwners(before, shards), proposeOwners(after, shards)]
  const moved = was.flatMap((owner, shard) => (owner === is[shard] ? [] : [`${owner} > ${is[shard]}`]))
  return [...new Set(moved)].sort()
}

const names = ['a', 'b', 'c', 'd', 'e']
const alike = names.map((name) => record(name))

describe('the proposal of who shall run what', () => {
  test('is the same in whatever order hosts are found', () => {
    expect(proposeOwners(alike.toReversed(), shards)).toEqual(proposeOwners(alike, shards))
  })

  test('gives every shard to somebody, and everybody a like part', () => {
    const parts = partsOf(alike, 5_000)
    // Six standard deviations of a fair throw.
    for (const name of names) expect(Math.abs((parts[name] ?? 0) - 1_000)).toBeLessThan(6 * Math.sqrt(800))
    expect(parts.nobody).toBeUndefined()
  })

  test('gives nothing where there is nobody', () => {
    expect(proposeOwners([], 3)).toEqual([null, null, null])
  })

  describe('moves no more than it must', () => {
    test.each([1, 2, 3, 4])('when one joins %i others', (count) => {
      const others = alike.slice(0, count)
      const joins = record('new')
      expect(moves(others, [...others, joins])).toEqual(others.map(({ host }) => `${host} > new`))
    })

    test.each(names)('when %s leaves four others', (name) => {
      const others = alike.filter(({ host }) => host !== name)
      expect(moves(alike, others)).toEqual(others.map(({ host }) => `${name} > ${host}`))
    })

    test('when one wants more or less than before', () => {
      const others = alike.slice(1)
      const wants = (weight: number) => [record('a', { weight }), ...others]
      expect(moves(wants(1), wants(3))).toEqual(others.map(({ host }) => `${host} > a`))
      expect(moves(wants(3), wants(1))).toEqual(others.map(({ host }) => `a > ${host}`))
    })

    test('when a shard is pinned', () => {
      const owners = proposeOwners(alike, shards)
      const pins = [0, 1, 2, 3, 4, 5, 6, 7]
      const pinned = alike.map((each) => (each.host === 'c' ? { ...each, pins } : each))
      expect(proposeOwners(pinned, shards)).toEqual(owners.map((owner, shard) => (shard < 8 ? 'c' : owner)))
    })
  })

  describe('heeds weights', () => {
    test('each has its share', () => {
      const parts = partsOf([record('a'), record('b', { weight: 2 }), record('c', { weight: 5 })], 8_000)
      expect(Math.abs((parts.a ?? 0) - 1_000)).toBeLessThan(6 * Math.sqrt(875))
      expect(Math.abs((parts.b ?? 0) - 2_000)).toBeLessThan(6 * Math.sqrt(1_500))
      expect(Math.abs((parts.c ?? 0) - 5_000)).toBeLessThan(6 * Math.sqrt(1_875))
    })

    test('who has none takes nothing, also where nobody else is', () => {
      const idle = record('a', { weight: 0 })
      expect(partsOf([idle, record('b')])).toEqual({ a: 0, b: shards })
      expect(partsOf([idle])).toEqual({ a: 0, nobody: shards })
    })
  })

  describe('heeds pins', () => {
    test('a shard is run where it is pinned, whatever that host weighs, and elsewhere when it is gone', () => {
      const pins = record('a', { weight: 0, pins: [3, 5] })
      const owners = proposeOwners([pins, record('b')], 8)
      expect(owners).toEqual(['b', 'b', 'b', 'a', 'b', 'a', 'b', 'b'])
      expect(partsOf([record('b')], 8)).toEqual({ b: 8 })
    })

    test('those who pin the same shards share them', () => {
      const pins = Array.from({ length: shards }, (_, shard) => shard)
      const parts = partsOf([record('a', { pins }), record('b', { pins }), record('c')])
      expect(parts.c).toBe(0)
      expect(Math.min(parts.a ?? 0, parts.b ?? 0)).toBeGreaterThan(shards / 3)
    })

    test('a host that pins what it could not run does not get it', () => {
      const lacks = record('a', { runs: {}, pins: [0] })
      expect(partsOf([lacks, record('b')])).toEqual({ a: 0, b: shards })
    })
  })

  describe('heeds what hosts can run', () => {
    test('a host that lacks a type takes nothing', () => {
      expect(partsOf([record('a', { runs: { order: '1', stock: '1' } }), record('b')])).toEqual({ a: shards, b: 0 })
    })

    test.each([
      ['1', '2'],
      ['9', '10'],
      ['1.9', '1.10'],
      ['1.9.9', '1.10.0'],
      ['2025-9', '2025-11'],
    ])('a host with version %s of a machine takes nothing where one has %s', (older, newer) => {
      const hosts = [record('a', { runs: { order: older } }), record('b', { runs: { order: newer } })]
      expect(partsOf(hosts)).toEqual({ a: 0, b: shards })
      expect(partsOf(hosts.toReversed())).toEqual({ a: 0, b: shards })
    })

    test('where nobody has everything, those that come closest share the shards', () => {
      const hosts = [
        record('a', { runs: { order: '2', stock: '1' } }),
        record('b', { runs: { order: '1', stock: '2', bill: '1' } }),
        record('c', { runs: { stock: '2', order: '2' } }),
        record('d', { runs: { order: '1', stock: '1' } }),
      ]
      const { a, b = 0, c = 0, d } = partsOf(hosts)
      expect([a, d]).toEqual([0, 0])
      expect(Math.min(b, c)).toBeGreaterThan(shards / 3)
      expect(b + c).toBe(shards)
    })
  })
})
