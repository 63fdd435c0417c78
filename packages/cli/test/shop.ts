// shop.ts: a store with something in it, made by a real host.
import { type IdempotencyKey, idempotencyKey, type StoreDriver } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import { entities, Safe, Till } from './till.ts'

/** When the host begins. */
export const opening: number = Date.UTC(2026, 0, 1)

/**
 * Two dead letters of `till/front`, which has sold for 500; `till/back` waits with a timer; `till/side` runs an effect;
 * `safe/cellar` is parked with a message behind; one message came with a key.
 */
export async function trade(store: StoreDriver): Promise<void> {
  const env = new VirtualEnv({ startMs: opening })
  const host = await createHost({ entities, store, env, policies: { analyse: false } })
  const key: IdempotencyKey = idempotencyKey('order-1', { at: opening })
  await host.send(Till.at('front'), { type: 'Sell', potion: 'luck' })
  await host.send(Till.at('front'), { type: 'Sell', potion: 'healing' }, { idempotencyKey: key })
  await host.send(Till.at('front'), { type: 'Sell', potion: '\u001b[31mred' })
  await host.send(Till.at('back'), { type: 'Wait' })
  await host.send(Till.at('side'), { type: 'Print' })
  await host.send(Safe.at('cellar'), { type: 'Sell', potion: 'luck' })
  await host.send(Safe.at('cellar'), { type: 'Sell', potion: 'healing' })
  await env.advance(60_000)
  await host.stop()
}
