// An answer to a key is the first one that was given to it, at whichever host somebody waits for it (G10).
import { contract, defineAggregate, idempotencyKey } from '@interstate/core'
import { expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { detectMs, Fleet, type Member } from './fleet.ts'
import { type StoreUnderTest, storesOfScope } from './stores.ts'

const Desk = contract('desk', {
  commands: { Hand: z.object({}), Stamp: z.object({}) },
  replies: { Accepted: z.object({ place: z.number() }) },
})
const desk = defineAggregate(
  Desk,
  setup({ types: Desk.types<{ key: string; hands: number; stamps: number }>() }).createMachine({
    context: ({ input }) => ({ key: input.key, hands: 0, stamps: 0 }),
    on: {
      Hand: {
        actions: [
          assign({ hands: ({ context }) => context.hands + 1 }),
          sendTo(({ context }) => Desk.at(context.key), { type: 'Stamp' }, { delay: 2_500 }),
          Desk.reply(({ context }) => ({ type: 'Accepted', place: context.hands })),
        ],
      },
      Stamp: { actions: assign({ stamps: ({ context }) => context.stamps + 1 }) },
    },
  }),
  { sends: [Desk] },
)

test('G10: who asks again at another host never hears that nobody replied, when somebody did', async () => {
  const [byShards] = storesOfScope('shard')
  await using fleet = new Fleet(byShards as StoreUnderTest, [desk])
  const [one, two] = (await fleet.start(2)) as [Member, Member]
  const key = await fleet.keyOn(two, 'desk')
  const options = { idempotencyKey: idempotencyKey('once', { at: fleet.env.now() }), timeoutMs: 60_000 }
  const hand = ({ host }: Member) => host.ask(Desk.at(key), { type: 'Hand' }, options)
  const wake = two.store.holdWrite(({ commits }) => commits.length > 0)
  hand(two).catch(() => {})
  await fleet.settle()
  // It waits; what becomes of it is not known yet.
  const again = hand(one)
  await fleet.settle()
  wake()
  await fleet.settle()
  fleet.kill(two)
  // Here the timer fires that the message has set. It has nothing to say, and the message was replied to before.
  await fleet.env.advance(5 * detectMs)
  expect((await one.host.read(desk.at(key)))?.context).toMatchObject({ hands: 1, stamps: 1 })
  await fleet.env.advance(60_000)
  expect(await again.catch(({ code }) => code)).not.toBe(undefined)
  expect(await hand(one)).toMatchObject({ place: 1 })
})
