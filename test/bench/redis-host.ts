// redis-host.ts: one host of a measurement on Redis, a process of its own. Its parent tells it what to send, and when.
import { createHost, type Host } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { Redis } from 'ioredis'
import { Counter, counter, counterKey, w1 } from './counters.ts'
import { Order, order, orderOf, payment, stock } from './orders.ts'

/** What a parent asks. */
export type Ask =
  | { readonly ask: 'handled' | 'stop' }
  /** `first`: number of the first message, so that no two are the same. */
  | { readonly ask: 'w1' | 'w2'; readonly first: number; readonly count: number }

/** What it is told. */
export interface Told {
  readonly figure: number
}

const [, , port = '', shards = ''] = process.argv
const client = new Redis({ host: '127.0.0.1', port: Number(port) })
const host = await createHost({
  entities: [counter, order, stock, payment],
  store: redisStore({ client, shards: Number(shards) }),
  policies: { maxLive: 20_000 },
})
const listen = (ask: Ask): void => {
  void answer(ask).then((figure) => process.send?.({ figure } satisfies Told))
}
process.on('message', listen)
process.send?.({ figure: 0 } satisfies Told)

async function answer(ask: Ask): Promise<number> {
  switch (ask.ask) {
    case 'handled':
      return host.counters().turns.handled
    case 'stop':
      process.off('message', listen)
      await host.stop()
      await client.quit()
      return 0
    case 'w1':
      await sendCounters(host, ask.first, ask.count)
      return ask.count
    case 'w2':
      await sendOrders(host, ask.first, ask.count)
      return ask.count
    default:
      return ask satisfies never
  }
}

async function sendCounters(at: Host, first: number, count: number): Promise<void> {
  const sent: Promise<unknown>[] = []
  for (let n = first; n < first + count; n += 1) {
    sent.push(at.send(Counter.at(counterKey(n, w1.entities)), { type: 'Add', by: 1 }))
    if (sent.length === w1.inFlight) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
}

async function sendOrders(at: Host, first: number, count: number): Promise<void> {
  const sent: Promise<unknown>[] = []
  for (let n = first; n < first + count; n += 1) {
    const { orderId, item, cents } = orderOf(n)
    sent.push(at.send(Order.at(orderId), { type: 'Place', orderId, item, cents }))
  }
  await Promise.all(sent)
}
