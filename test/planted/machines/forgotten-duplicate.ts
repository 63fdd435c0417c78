// forgotten-duplicate.ts: a till sends a purchase again, and the points are counted again.
import { contract, defineAggregate } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Points = contract('points', { commands: { Earn: z.object({ purchase: z.string(), points: z.number() }) } })
const Voucher = contract('voucher', { commands: { Issue: z.object({}) } })

const enough = 100

const points = (version: Version) =>
  defineAggregate(
    Points,
    setup({ types: Points.types<{ key: string; points: number; purchases: string[] }>() }).createMachine({
      context: ({ input }) => ({ key: input.key, points: 0, purchases: [] }),
      initial: 'collecting',
      states: {
        collecting: {
          on: {
            Earn: [
              {
                guard: ({ context, event }) => version === 'mended' && context.purchases.includes(event.purchase),
              },
              {
                actions: assign(({ context, event }) => ({
                  points: context.points + event.points,
                  purchases: [...context.purchases, event.purchase],
                })),
              },
            ],
          },
          always: {
            guard: ({ context }) => context.points >= enough,
            target: 'rewarded',
            actions: sendTo(({ context }) => Voucher.at(context.key), { type: 'Issue' }),
          },
        },
        rewarded: { on: { Earn: {} } },
      },
    }),
    { sends: [Voucher] },
  )

const voucher = defineAggregate(
  Voucher,
  setup({ types: Voucher.types() }).createMachine({
    initial: 'none',
    states: { none: { on: { Issue: 'issued' } }, issued: {} },
  }),
)

export const forgottenDuplicate: PlantedBug = {
  mistake: 'A repeated call counts twice',
  origin: 'The till repeats a call whose answer was lost; exactly once ends where the client makes a new call of it.',
  finding: 'INVARIANT_BROKEN a voucher takes two purchases',
  options: { duplicates: 1 },
  world: (version) => {
    const account = points(version)
    return world({ entities: [account, voucher] })
      .stimuli({
        earn: ['p1', 'p2'].map((purchase) => send(Points.at('ann'), { type: 'Earn', purchase, points: 60 })),
      })
      .always('a voucher takes two purchases', (w) =>
        w
          .all(voucher)
          .every(
            (each) =>
              !each.matches('issued') || new Set(w.one(account.at(each.key))?.context.purchases ?? []).size === 2,
          ),
      )
  },
}
