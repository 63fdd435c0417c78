// charged-after-crash.ts: an effect that runs again after a crash, and acts again.
import { contract, defineAggregate, defineSaga, effect, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { emit, fromPromise, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Order = contract('order', { commands: { Place: z.object({}) }, events: { Placed: z.object({}) } })

const order = defineAggregate(
  Order,
  setup({ types: Order.types() }).createMachine({
    initial: 'open',
    states: { open: { on: { Place: { target: 'placed', actions: emit({ type: 'Placed' }) } } }, placed: {} },
  }),
)

/** The provider's interface: it charges once for each key, and once for each call that has none. */
async function charge(order: string, key?: string): Promise<void> {
  const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key }
  await fetch(`https://provider.example/charges/${order}`, { method: 'POST', headers })
}

/** The same as a picture. */
interface Provider {
  charges: { order: string; key: string | undefined }[]
}

function chargeOf(provider: Provider, order: string, key: string | undefined): void {
  const isKnown = key !== undefined && provider.charges.some((each) => each.key === key)
  if (!isKnown) provider.charges.push({ order, key })
}

const follows = follow(Order.event('Placed').bySource().starts())

const payment = (version: Version) =>
  defineSaga(
    'payment',
    follows,
    setup({
      types: follows.types<{ order: string }>(),
      actors: {
        charge:
          version === 'planted'
            ? fromPromise<void, string>(({ input }) => charge(input))
            : effect<string, void>(({ input, idempotencyKey }) => charge(input, idempotencyKey)),
      },
    }).createMachine({
      context: ({ input }) => ({ order: input.key }),
      initial: 'charging',
      states: {
        charging: { invoke: { src: 'charge', input: ({ context }) => context.order, onDone: 'paid' } },
        paid: { type: 'final' },
      },
    }),
  )

export const chargedAfterCrash: PlantedBug = {
  mistake: 'An effect without its key acts twice after a crash',
  origin: 'The call works without an idempotency key, and in tests nobody dies between the call and its answer.',
  finding: 'INVARIANT_BROKEN an order is charged once',
  world: (version) =>
    world({ entities: [order, payment(version)] })
      .outside<Provider>({ charges: [] })
      .effects({
        charge: ({ input, idempotencyKey, outside }) =>
          chargeOf(outside, input, version === 'planted' ? undefined : idempotencyKey),
      })
      .stimuli({ place: ['o1', 'o2'].map((each) => send(Order.at(each), { type: 'Place' })) })
      .always('an order is charged once', (w) => {
        const orders = w.outside.charges.map((each) => each.order)
        return new Set(orders).size === orders.length
      }),
}
