// Idempotency keys: a client may repeat a call as often as it likes.
import { idempotencyKey } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { Stock } from '../tutorial/stock.ts'

/** A request as it came in: over HTTP, from a queue, from a file. */
export interface Request {
  readonly id: string
  readonly madeAt: Date
  readonly quantity: number
}

export async function onRequest(host: Host, request: Request): Promise<boolean> {
  // #region send
  const { duplicate } = await host.send(
    Stock.at('healing'),
    { type: 'Deliver', quantity: request.quantity },
    // The time comes from the request, so that it is the same on every repeat.
    { idempotencyKey: idempotencyKey(request.id, { at: request.madeAt }) },
  )
  // #endregion
  return duplicate
}

export async function reserveOnce(host: Host, request: Request): Promise<string | undefined> {
  // #region ask
  const reply = await host.ask(
    Stock.at('healing'),
    { type: 'Reserve', quantity: request.quantity },
    { idempotencyKey: idempotencyKey(request.id, { at: request.madeAt }) },
  )
  // #endregion
  return reply?.type
}

export async function forgetOldKeys(host: Host, now: Date): Promise<number> {
  // #region purge
  const thirtyDays = 30 * 24 * 60 * 60_000
  const forgotten = await host.purge({ before: now.getTime() - thirtyDays })
  // #endregion
  return forgotten
}
