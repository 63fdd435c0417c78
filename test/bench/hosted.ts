// hosted.ts: the workloads on a real host and a real file, durable (FULL), payload validation on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Definition, entityId, parseEntityId } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Counter, counter, counterKey } from './counters.ts'
import { Order, order, orderOf, payment, stock, w2 } from './orders.ts'

/** What one run gives. */
export interface Sample {
  readonly perSecond: number
  readonly rssMB: number
  readonly [figure: string]: number
}

/** W1: one-way messages, from the first `send` to drained. */
export async function runCounters({
  messages,
  entities,
  inFlight,
}: {
  messages: number
  entities: number
  /** Calls that the client keeps under way: one that never waits would measure its own memory. */
  inFlight: number
}): Promise<Sample> {
  return onHost([counter], async (host) => {
    const begin = performance.now()
    const sent: Promise<unknown>[] = []
    for (let n = 0; n < messages; n += 1) {
      sent.push(host.send(Counter.at(counterKey(n, entities)), { type: 'Add', by: 1 }))
      if (sent.length === inFlight) await Promise.all(sent.splice(0))
    }
    await Promise.all(sent)
    await host.drain()
    return sample(host, messages, performance.now() - begin)
  })
}

/** W2: orders, from the first `send` to drained. */
export async function runOrders({ orders }: { orders: number }): Promise<Sample> {
  return onHost([order, stock, payment], async (host) => {
    const begin = performance.now()
    const sent = Array.from({ length: orders }, (_, n) => {
      const { orderId, item, cents } = orderOf(n)
      return host.send(Order.at(orderId), { type: 'Place', orderId, item, cents })
    })
    await Promise.all(sent)
    await host.drain()
    const result = sample(host, orders, performance.now() - begin)
    const handled = host.counters().turns.handled
    if (handled !== orders * w2.messagesPerOrder) throw new Error(`${handled} messages handled, not five an order`)
    return result
  })
}

/** `ask` at half of the load that W1 bears: p50 and p99 in milliseconds. */
export async function runAsk({ perSecond }: { perSecond: number }): Promise<Sample> {
  return onHost([counter], async (host) => {
    const seconds = 3
    const perTick = Math.max(1, Math.round((perSecond / 1_000) * 5))
    const took: number[] = []
    const asked: Promise<unknown>[] = []
    const begin = performance.now()
    for (let n = 0; performance.now() - begin < seconds * 1_000; ) {
      for (let each = 0; each < perTick; each += 1, n += 1) {
        const at = performance.now()
        const answered = host.ask(Counter.at(counterKey(n, 1_000)), { type: 'Add', by: 1 })
        asked.push(answered.then(() => void took.push(performance.now() - at)))
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(asked)
    const elapsed = performance.now() - begin
    took.sort((one, two) => one - two)
    const at = (share: number): number => took[Math.floor(took.length * share)] ?? Number.NaN
    return { ...sample(host, took.length, elapsed), p50Ms: at(0.5), p99Ms: at(0.99) }
  })
}

/** Start-up of a host on a file that holds many entities: until its first `ask` is answered. */
export async function runStartup({ entities }: { entities: number }): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'interstate-bench-'))
  try {
    const path = join(folder, 'bench.db')
    await fill(path, entities)
    const begin = performance.now()
    const host = await start([counter], path)
    await host.ask(Counter.at('c0'), { type: 'Add', by: 1 })
    const ms = performance.now() - begin
    const result = { ...sample(host, 1, ms), startupMs: ms }
    await host.stop()
    return result
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function fill(path: string, entities: number): Promise<void> {
  const host = await start([counter], path)
  const sent: Promise<unknown>[] = []
  for (let n = 0; n < entities; n += 1) {
    sent.push(host.send(Counter.at(parseEntityId(entityId('counter', `c${n}`)).key), { type: 'Add', by: 1 }))
    if (sent.length === 1_000) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
  await host.stop()
}

async function onHost(entities: readonly Definition[], run: (host: Host) => Promise<Sample>): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'interstate-bench-'))
  try {
    const host = await start(entities, join(folder, 'bench.db'))
    const result = await run(host)
    await host.stop()
    return result
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function start(entities: readonly Definition[], path: string): Promise<Host> {
  return createHost({ entities, store: sqliteStore({ path }), policies: { maxLive: 1000 } })
}

function sample(host: Host, units: number, ms: number): Sample {
  const { groups, commits } = host.counters()
  return { perSecond: (units / ms) * 1_000, rssMB: process.resourceUsage().maxRSS / 1_024, groups, commits }
}
