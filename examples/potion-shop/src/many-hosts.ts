// many-hosts.ts: several hosts on one store take all orders; with kills, any of them may die at any time.
// This process is what is outside of all hosts: the customers, the carrier, the clock on the wall.
import { audit } from './audit.ts'
import { openCarrier } from './carrier.ts'
import { bring, stockUp } from './customers.ts'
import { Killer } from './killer.ts'
import type { Order } from './orders.ts'
import type { Progress } from './progress.ts'
import { quiet } from './quiet.ts'
import type { Findings } from './report.ts'
import { type SharedPlace, SharedStore } from './shared-store.ts'
import { openShop } from './shop.ts'
import { Staff } from './staff.ts'
import { textOf } from './store-address.ts'

/** Options of {@link runManyHosts}. */
export interface ManyHostsOptions {
  readonly place: SharedPlace
  readonly hosts: number
  readonly ledger: string
  /** In the order in which they come, repeats and all. */
  readonly orders: readonly Order[]
  readonly book: ReadonlyMap<string, Order>
  readonly kills: number
  readonly progress: Progress
}

/** Under kills few at once, so that a kill finds work in all its stages and not one large group; and little patience. */
const habits = {
  calm: { verify: 'sampled', detectMs: 5_000, atOnce: 512 },
  chaos: { verify: 'always', detectMs: 1_500, atOnce: 96 },
} as const

/** Runs the shop until each order has come to its end. */
export async function runManyHosts(options: ManyHostsOptions): Promise<Pick<Findings, 'audit' | 'work'>> {
  const store = new SharedStore(options.place)
  try {
    const work = await runDay(options, store)
    const shop = await openShop({ store: store.driver(), carrier: openCarrier(options.ledger) })
    const found = await audit(shop, options.book.keys(), options.ledger)
    await shop.close()
    return { audit: found, work }
  } finally {
    store.close()
  }
}

async function runDay(options: ManyHostsOptions, store: SharedStore): Promise<Findings['work']> {
  const { place, hosts, ledger, orders, book, kills, progress } = options
  const { atOnce, ...habit } = kills > 0 ? habits.chaos : habits.calm
  const begin = performance.now()
  const counts = { messages: 0, duplicatesRefused: 0 }
  const ended = new Set<string>()
  const end = (order: string): void => {
    ended.add(order)
    progress.at(ended.size, kills > 0 ? `${killer.toll.kills} of ${kills} kills` : '')
  }
  const carrier = openCarrier(ledger)
  const staff = new Staff({
    life: { store: textOf(place.address), prefix: place.prefix, ...habit },
    office: { book: ({ parcel, key }) => carrier.book(parcel, key) },
    onNews({ handled, refused, ended }) {
      counts.messages += handled
      counts.duplicatesRefused += refused
      killer.watch(counts.messages)
      for (const order of ended) end(order)
    },
  })
  const killer = new Killer(staff, { kills, orders: book.size })
  const looker = store.driver()
  const day = async (): Promise<void> => {
    await staff.start(hosts)
    await stockUp(staff)
    await bring(orders, staff, {
      atOnce,
      onTaken: ({ order }, how) => {
        if (kills === 0 && how === 'repeated') end(order)
      },
    })
    await quiet(looker)
    await killer.endDay(counts.messages)
    // Only now: an order that still had work to do must not time out because its host was slow or was killed.
    await staff.putClockForward()
    await quiet(looker)
    await killer.endEvening()
    await quiet(looker)
    await staff.stop()
  }
  try {
    await Promise.race([day(), staff.failure])
  } finally {
    staff.abandon()
    await looker.close()
  }
  return { ...counts, ...killer.toll, seconds: (performance.now() - begin) / 1_000 }
}
