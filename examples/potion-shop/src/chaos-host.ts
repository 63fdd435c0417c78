// chaos-host.ts: a host that chaos.ts starts and kills: sends every order twice, in an order of its own.
import type { Host } from '@interstate/runtime'
import { OrderBook } from './order-book.ts'
import { openShop } from './shop.ts'
import { type ShopFiles, shopIn } from './shop-files.ts'
import { shuffled } from './shuffle.ts'

/** What a host is told at its start. */
export interface ChaosLife {
  readonly files: ShopFiles
  /** What it does when all is done: it stops, or it waits to be killed. */
  readonly end: 'stop' | 'wait'
}

/** What a host tells: counts since it started, of what is durable. */
export interface ChaosNews {
  readonly messages: number
  /** Of these, since the clock was put forward. */
  readonly evening: number
  readonly duplicates: number
  /** Orders that have come to their end. */
  readonly ended: number
  readonly done: boolean
}

// Few, so that a kill finds work in all its stages and not one large group.
const ordersAtOnce = 64

const { files, end } = JSON.parse(process.argv[2] ?? '') as ChaosLife
process.on('disconnect', () => process.exit())

let ended = 0
/** Messages that were handled when the clock was put forward. */
let byDay = Number.POSITIVE_INFINITY
let host: Host | undefined
const shop = await openShop({
  ...shopIn(files),
  onSignal(signal) {
    if (signal.signal === 'turn' && signal.type === 'Close') ended += 1
    if (signal.signal === 'committed') tell({ done: false })
  },
})
host = shop.host
const orders = [...new OrderBook(files.book).orders.values()]
await shop.stockUp()
await shop.take(shuffled([...orders, ...orders]), { atOnce: ordersAtOnce })
await shop.host.drain()
byDay = messagesOf(shop.host)
await shop.endDay()
tell({ done: true })
if (end === 'stop') {
  await shop.close()
  process.disconnect()
}

function tell({ done }: Pick<ChaosNews, 'done'>): void {
  // What is left of an earlier life may be handled before the shop is known here.
  if (host === undefined) return
  const messages = messagesOf(host)
  const { duplicates } = host.counters()
  process.send?.({ messages, evening: Math.max(0, messages - byDay), duplicates, ended, done } satisfies ChaosNews)
}

function messagesOf(host: Host): number {
  return Object.values(host.counters().turns).reduce((sum, number) => sum + number, 0)
}
