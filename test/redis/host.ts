// host.ts: a process that is one host among others. Its parent plays the clients, and does to it what a bad day does.
import { InterstateError, idempotencyKey } from '@interstate/core'
import { createHost, nodeEnv, type Signal } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { Cluster, Redis } from 'ioredis'
import { openCarrier } from '../crash/carrier.ts'
import { Desk, deskOf, systemWith } from '../crash/system.ts'
import type { Orders, Request, Word } from './messages.ts'
import { Mine, mineOf } from './mine.ts'

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const tell = (word: Word): void => {
  if (process.connected) process.send?.(word)
}
// A test that ends without its hosts must not leave them.
process.once('disconnect', () => process.exit(1))

const client = clientOf(orders)
client.on('error', () => undefined)
let skewMs = orders.skewMs
const env = { ...nodeEnv(), now: () => Date.now() + skewMs }
const { shards, prefix, durability, detectMs, lookMs, ledger } = orders
const host = await createHost({
  entities: [...systemWith(openCarrier(ledger)).entities, mineOf(orders)],
  store: redisStore({ client, prefix, shards, durability, attemptMs: 1_000 }),
  env,
  cluster: { detectMs, lookMs },
  policies: { analyse: false, verify: 'sampled' },
  onSignal: report,
})
tell({ word: 'started', at: Date.now() })
process.on('message', (request: Request) => {
  if ('spinMs' in request) spin(request.spinMs)
  else if ('stepMs' in request) skewMs += request.stepMs
  else if ('mine' in request) void host.send(Mine.at(request.mine), { type: 'Step' })
  else void ask(request.ask, request.call, request.timeoutMs)
})

async function ask(n: number, call: number, timeoutMs: number): Promise<void> {
  const key = idempotencyKey(`hand-${n}`, { at: 1_750_000_000_000 + n })
  try {
    const reply = await host.ask(Desk.at(deskOf(n)), { type: 'Hand', n }, { idempotencyKey: key, timeoutMs })
    tell({ word: 'answer', call, place: reply?.place ?? Number.NaN })
  } catch (error) {
    const { message } = error as Error
    const isOurs = error instanceof InterstateError
    const [code, retryable] = isOurs ? [error.code, error.retryable] : ['?', false]
    tell({ word: 'failure', call, code, retryable, text: message })
  }
}

function report(signal: Signal): void {
  const at = Date.now()
  switch (signal.signal) {
    case 'shards-taken':
      tell({ word: 'taken', at, shards: signal.shards })
      break
    case 'shards-dropped':
      tell({ word: 'dropped', at, shards: signal.shards })
      break
    case 'history-lost':
      tell({ word: 'lost', at, shards: [signal.shard] })
      break
    case 'dead-letter':
    case 'parked':
    case 'held':
    case 'fatal':
      tell({ word: 'trouble', what: JSON.stringify(signal) })
      break
    default:
  }
}

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

function clientOf({ redis, client }: Orders): Redis | Cluster {
  if ('port' in redis) return new Redis({ host: '127.0.0.1', port: redis.port, ...client })
  const nodes = redis.ports.map((port) => ({ host: '127.0.0.1', port }))
  return new Cluster(nodes, { slotsRefreshInterval: 1_000, redisOptions: client })
}
