// customers.ts: brings orders to whichever host is there. No answer, no matter: the same order goes to another host, under
// the same idempotency key, and has its effect once.
import { setTimeout } from 'node:timers/promises'
import type { Order } from './orders.ts'
import type { TakeOptions } from './shop.ts'
import type { Staff } from './staff.ts'
import { CallFailed } from './wire.ts'

const retryMs = 20
const patienceMs = 60_000

/** Takes in the first delivery of each potion, once. */
export function stockUp(staff: Staff): Promise<void> {
  return insist(() => staff.ask('stockUp', null))
}

/** Brings orders, several at the same time; resolves when all are durable. */
export async function bring(orders: Iterable<Order>, staff: Staff, { atOnce, onTaken }: TakeOptions): Promise<void> {
  const rest = orders[Symbol.iterator]()
  const customer = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const order = next.value
      onTaken?.(order, await insist(() => staff.ask('take', order)))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, customer))
}

async function insist<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof CallFailed && error.retryable) || performance.now() > deadline) throw error
    }
    await setTimeout(retryMs)
  }
}
