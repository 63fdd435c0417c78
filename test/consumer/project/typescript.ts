// typescript.ts: what a TypeScript project does with the packages. It is checked and run.
import { contract, defineAggregate, defineSaga, effect, follow, InterstateError } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { type RedisStoreOptions, redisStore } from '@interstate/store-redis'
import { sqliteStore } from '@interstate/store-sqlite'
import { Cluster, Redis } from 'ioredis'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

const Payment = contract('payment', {
  commands: { Charge: z.object({ cents: z.number().int().positive() }) },
  events: { Charged: z.object({ cents: z.number() }) },
})
const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ charged: number }>() }).createMachine({
    context: { charged: 0 },
    on: {
      Charge: {
        actions: [
          assign({ charged: ({ context, event }) => context.charged + event.cents }),
          emit(({ event }) => ({ type: 'Charged', cents: event.cents })),
        ],
      },
    },
  }),
)

const Order = contract('order', {
  commands: { Submit: z.object({ cents: z.number() }) },
  events: { Submitted: z.object({ order: z.string(), cents: z.number() }) },
})
const order = defineAggregate(
  Order,
  setup({ types: Order.types<{ key: string }>() }).createMachine({
    context: ({ input }) => ({ key: input.key }),
    on: {
      Submit: {
        actions: emit(({ context, event }) => ({ type: 'Submitted', order: context.key, cents: event.cents })),
      },
    },
  }),
)

const follows = follow(Order.event('Submitted').by('order').starts(), Payment.event('Charged').bySource())
const shipping = defineSaga(
  'shipping',
  follows,
  setup({
    types: follows.types<{ order: string; cents: number; label: string }>(),
    actors: { print: effect<{ order: string }, string>(async ({ input }) => `label of ${input.order}`) },
  }).createMachine({
    context: ({ input }) => ({ order: input.key, cents: input.message.cents, label: '' }),
    initial: 'charging',
    states: {
      charging: {
        entry: sendTo(
          ({ context }) => Payment.at(context.order),
          ({ context }) => ({ type: 'Charge', cents: context.cents }),
        ),
        on: { 'payment.Charged': 'printing' },
      },
      printing: {
        invoke: {
          src: 'print',
          input: ({ context }) => ({ order: context.order }),
          onDone: { target: 'shipped', actions: assign({ label: ({ event }) => event.output }) },
        },
      },
      shipped: { type: 'final' },
    },
  }),
  { sends: [Payment] },
)

async function ship(host: Host): Promise<void> {
  await host.send(Order.at('7'), { type: 'Submit', cents: 1_200 })
  await host.drain()
  const shipped = await host.read(shipping.at('7'))
  const charged: number | undefined = (await host.read(payment.at('7')))?.context.charged
  console.log(`${shipped?.context.label}, ${charged} cents`)
  // @ts-expect-error A payload that does not fit.
  const refused = await host.send(Payment.at('7'), { type: 'Charge', cents: 'many' }).catch((error: unknown) => error)
  console.log(refused instanceof InterstateError ? refused.code : refused)
}

const path = process.argv[2] ?? ''
for (const store of [memoryStore(), sqliteStore({ path, durability: 'full' })]) {
  const host = await createHost({ entities: [payment, order, shipping], store })
  await ship(host)
  await host.stop()
}

/** Of one server or of a cluster, as the driver of the project has it. Not run: it needs a server. */
export function onRedis(options: Omit<RedisStoreOptions, 'client'>): readonly Promise<Host>[] {
  const clients = [new Redis(), new Cluster([{ host: 'localhost', port: 6379 }])]
  return clients.map((client) => createHost({ entities: [payment], store: redisStore({ ...options, client }) }))
}
