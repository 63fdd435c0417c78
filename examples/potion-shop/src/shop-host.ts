// shop-host.ts: one of several hosts that share a store, as a process of its own. The office (office.ts) starts it.

import { parseEntityId } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import type { Carrier, CarrierAnswer, Parcel } from './carrier.ts'
import type { Order } from './orders.ts'
import { SharedStore } from './shared-store.ts'
import { openShop, type Taken } from './shop.ts'
import { parseStore, type SharedAddress } from './store-address.ts'
import { Wire } from './wire.ts'

/** What a host is told at its start. */
export interface HostLife {
  readonly store: string
  readonly prefix: string
  /** Half an hour has passed at once before it came. */
  readonly evening: boolean
  /** How often turns are decided twice. */
  readonly verify: 'always' | 'sampled'
  /** After how long a killed host is missed. */
  readonly detectMs: number
}

/** What a host does when it is asked. */
export type HostDuties = {
  stockUp(value: null): Promise<void>
  take(order: Order): Promise<Taken>
  putClockForward(value: null): void
  stop(value: null): Promise<void>
}

/** What the office does when it is asked. */
export type OfficeDuties = {
  isOpen(value: null): void
  news(news: HostNews): void
  book(call: { readonly parcel: Parcel; readonly key: string }): Promise<CarrierAnswer>
}

/** What a host tells, of what is durable. */
export interface HostNews {
  /** Since it started. */
  readonly messages: number
  /** Since it started. */
  readonly duplicates: number
  /** Orders that have come to their end since it told last. */
  readonly ended: readonly string[]
}

const { store, prefix, evening, verify, detectMs } = JSON.parse(process.argv[2] ?? '') as HostLife
process.on('disconnect', () => process.exit())

const wire = new Wire<OfficeDuties>(process, {
  stockUp: () => shop.stockUp(),
  take: (order: Order) => shop.takeOne(order),
  putClockForward: () => shop.putClockForward(),
  stop,
} satisfies HostDuties)
/** The one outside of all hosts. */
const carrier: Carrier = { book: (parcel, key) => wire.ask('book', { parcel, key }) }

let host: Host | undefined
const ended: string[] = []
const shared = new SharedStore({ address: parseStore(store) as SharedAddress, prefix })
const shop = await openShop({
  store: shared.driver(),
  carrier,
  cluster: { detectMs, lookMs: 200 },
  policies: { verify },
  onSignal(signal) {
    if (signal.signal === 'turn' && signal.type === 'Close') ended.push(parseEntityId(signal.entity).key)
    if (signal.signal === 'committed') tell()
    if (signal.signal === 'history-lost') giveUp(`shard ${signal.shard}: ${signal.finding}`)
    if (signal.signal === 'fatal') giveUp(signal.error.message)
  },
})
host = shop.host
if (evening) shop.putClockForward()
await wire.ask('isOpen', null)

/** The office hears of every commit, and so of the work that a kill interrupts. */
function tell(): void {
  // What is left of another host may be handled before the shop is known here.
  if (host === undefined) return
  const { turns, duplicates } = host.counters()
  const messages = Object.values(turns).reduce((sum, number) => sum + number, 0)
  void wire.ask('news', { messages, duplicates, ended: ended.splice(0) }).catch(() => {})
}

async function stop(): Promise<void> {
  await shop.close()
  tell()
  shared.close()
}

function giveUp(why: string): void {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}
