// The shop as its users run it: a process of its own, a file on disk.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { generateOrders, toText } from '../src/generate-orders.ts'
import type { Report } from '../src/report.ts'
import { tallyOf } from '../src/tally.ts'
import { anOrder } from './order.ts'

const folder = mkdtempSync(join(tmpdir(), 'potion-shop-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const orders = generateOrders(300)
const file = join(folder, 'orders.jsonl')
writeFileSync(file, toText(orders))
const expected = tallyOf(orders).outcomes

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function start(parts: readonly string[], input = ''): Promise<Ended> {
  const main = join(import.meta.dirname, '../src/main.ts')
  const { npm_lifecycle_event: _, ...env } = process.env
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@interstate/source', main, ...parts],
      { env },
      (error, stdout, stderr) => resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

async function json(...parts: readonly string[]): Promise<Report> {
  const { stdout, stderr, status } = await start([...parts, '--json'])
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  return JSON.parse(stdout) as Report
}

describe('npm start', () => {
  const store = join(folder, 'calm', 'shop.db')

  test('ends with the totals that the input gives; run again, nothing happens twice', async () => {
    const first = await json('--orders', file, '--store', store)
    expect(first).toMatchObject({ orders: 300, outcomes: { ...expected, unfinished: 0 }, conserved: true, kills: 0 })
    expect(first.duplicatesRefused).toBe(0)
    expect(first.messages).toBeGreaterThan(3_000)
    expect(first.perSecond).toBeGreaterThan(0)

    const again = await start(['--orders', file, '--store', store])
    expect(again.status).toBe(0)
    expect(again.stdout).toContain('nothing happened twice')
    expect(again.stdout).toContain(' 0 messages handled')
    expect(again.stdout.split('\n').length).toBeLessThan(24)
  })

  test('takes further orders into the same shop and checks money and stock over all of them', async () => {
    const more = join(folder, 'more.jsonl')
    writeFileSync(more, toText([anOrder({ order: 'more-1' }), anOrder({ order: 'more-1' })]))
    const report = await json('--orders', more, '--store', store)
    expect(report).toMatchObject({ orders: 1, ordersInShop: 301, conserved: true })
    // The second copy of the order, and the first deliveries of nine potions.
    expect(report.duplicatesRefused).toBe(10)
  })
})

test('the order in which orders arrive changes no total', async () => {
  const backwards = join(folder, 'backwards.jsonl')
  writeFileSync(backwards, toText(orders.toReversed()))
  const report = await json('--orders', backwards, '--store', join(folder, 'backwards', 'shop.db'))
  expect(report).toMatchObject({ outcomes: { ...expected, unfinished: 0 }, conserved: true })
})

test('hosts that are killed again and again, given every order twice, end with the same totals', async () => {
  const report = await json('--orders', file, '--chaos', '--kills', '6')
  expect(report).toMatchObject({ outcomes: { ...expected, unfinished: 0 }, conserved: true, kills: 6 })
  expect(report.duplicatesRefused).toBeGreaterThan(300)
}, 60_000)

test('bad lines are told and stop nothing, on standard input too', async () => {
  const input = `nonsense\n${JSON.stringify(anOrder({ order: 'o-1' }))}\n{"order":"o-2"}\n`
  const { status, stdout, stderr } = await start(['--orders', '-', '--store', join(folder, 'bad', 'shop.db')], input)
  expect(status).toBe(0)
  expect(stderr).toContain('line 1: is no JSON object')
  expect(stderr).toContain('line 3: placedAt')
  expect(stdout).toMatch(/delivered\s+1\s+1/)
})

test('wrong usage ends with status 2 and a word on what is wrong', async () => {
  const missing = join(folder, 'missing.jsonl')
  expect(await start(['--orders', missing, '--store', join(folder, 'no', 'shop.db')])).toMatchObject({ status: 2 })
  expect(existsSync(join(folder, 'no'))).toBe(false)
  expect(await start(['--kills', 'many'])).toMatchObject({ status: 2 })
  const help = await start(['--help'])
  expect(help).toMatchObject({ status: 0 })
  expect(help.stdout).toContain('nothing happens twice')
})
