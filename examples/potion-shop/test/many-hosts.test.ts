// Several hosts on one Redis, as users run them: processes of their own, which are killed while orders run.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// @boundaries-ignore Real servers for tests are started in one place for all packages.
import { describeWithRedis, type RedisServer, startServer } from '../../../packages/store-redis/test/servers.ts'
import { generateOrders, toText } from '../src/generate-orders.ts'
import type { Report } from '../src/report.ts'
import { nameOf, parseStore, textOf } from '../src/store-address.ts'
import { tallyOf } from '../src/tally.ts'

const folder = mkdtempSync(join(tmpdir(), 'potion-shop-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const orders = generateOrders(150)
const file = join(folder, 'orders.jsonl')
writeFileSync(file, toText(orders))
const { outcomes } = tallyOf(orders)

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function start(...parts: readonly string[]): Promise<Ended> {
  const main = join(import.meta.dirname, '../src/main.ts')
  const { npm_lifecycle_event: _, ...env } = process.env
  return new Promise((resolve) => {
    const command = ['--conditions=@interstate/source', main, '--orders', file, ...parts]
    execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

describeWithRedis('three hosts on one Redis', () => {
  let server: RedisServer
  let store: string
  beforeAll(async () => {
    server = await startServer()
    store = `redis://127.0.0.1:${server.port}`
  })
  afterAll(() => server?.stop())

  async function report(...parts: readonly string[]): Promise<Report> {
    const { stdout, stderr, status } = await start('--store', store, '--hosts', '3', '--json', ...parts)
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    return JSON.parse(stdout) as Report
  }

  test('end with the totals that the input gives; run again, nothing happens twice', async () => {
    const first = await report('--fresh')
    expect(first).toMatchObject({ orders: 150, outcomes: { ...outcomes, unfinished: 0 }, conserved: true, kills: 0 })
    expect(first.messages).toBeGreaterThan(1_500)
    const again = await report()
    expect(again).toMatchObject({ outcomes: { ...outcomes, unfinished: 0 }, conserved: true, messages: 0 })
    expect(again.duplicatesRefused).toBeGreaterThan(150)
  }, 120_000)

  test('killed again and again and given every order twice, end with the same totals and leave no key behind', async () => {
    const before = await server.run('DBSIZE')
    const chaos = await report('--chaos', '--kills', '4')
    expect(chaos).toMatchObject({ outcomes: { ...outcomes, unfinished: 0 }, conserved: true, kills: 4 })
    expect(chaos.killsAtWork).toBeGreaterThan(0)
    expect(await server.run('DBSIZE')).toBe(before)
  }, 180_000)
})

describe('--store and --hosts', () => {
  test('a store that nobody runs is told, and how to get one', async () => {
    const { status, stderr } = await start('--store', 'redis://127.0.0.1:1', '--hosts', '2')
    expect(status).toBe(2)
    expect(stderr).toContain('No Redis answers at redis://127.0.0.1:1')
    expect(stderr).toContain('redis-server')
  })

  test('several hosts on a file are refused', async () => {
    const { status, stderr } = await start('--store', join(folder, 'shop.db'), '--hosts', '3')
    expect(status).toBe(2)
    expect(stderr).toContain('a file has one owner')
  })

  test.each([
    ['mysql://localhost', 'mysql: is no store of this shop'],
    ['redis:', 'redis://localhost:6379'],
    ['redis://', 'redis://localhost:6379'],
    ['redis-cluster://a,', 'redis-cluster://a:6379,b:6379'],
  ])('%s is refused with a word on what would do', (text, word) => {
    expect(() => parseStore(text)).toThrow(word)
  })

  test('addresses are read, and shown without their password', () => {
    expect(parseStore('data/shop.db')).toEqual({ kind: 'file', path: 'data/shop.db' })
    const redis = parseStore('redis://:secret@localhost:6380/2')
    expect(nameOf(redis)).toBe('redis://localhost:6380/2')
    expect(parseStore(textOf(redis))).toEqual(redis)
    const cluster = parseStore('redis-cluster://:secret@a:7000,b')
    expect(nameOf(cluster)).toBe('redis-cluster://a:7000,b')
    expect(parseStore(textOf(cluster))).toEqual(cluster)
  })
})
