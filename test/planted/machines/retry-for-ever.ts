// retry-for-ever.ts: a renewal tries an expired card once a day, until the end of time.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Card = contract('card', { commands: { Charge: nothing, Expire: nothing }, replies: { Charged: nothing } })
const Renewal = contract('renewal', { commands: { Begin: nothing } })

const card = defineAggregate(
  Card,
  setup({ types: Card.types() }).createMachine({
    initial: 'valid',
    states: { valid: { on: { Charge: { actions: Card.reply({ type: 'Charged' }) }, Expire: 'expired' } }, expired: {} },
  }),
)

const follows = follow()

const renewal = (version: Version) =>
  defineSaga(
    Renewal,
    follows,
    setup({
      types: follows.types<{ key: string; refusals: number }, typeof Card, never, typeof Renewal>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, refusals: 0 }),
      initial: 'new',
      states: {
        new: { on: { Begin: 'charging' } },
        charging: {
          entry: sendTo(({ context }) => Card.at(context.key), { type: 'Charge' }),
          on: {
            'card.Charged': 'renewed',
            'card.rejected': [
              {
                guard: ({ context }) => version === 'planted' || context.refusals < 2,
                target: 'waiting',
                actions: version === 'planted' ? [] : assign({ refusals: ({ context }) => context.refusals + 1 }),
              },
              { target: 'lapsed' },
            ],
          },
        },
        waiting: { after: { 86400000: 'charging' } },
        renewed: { type: 'final' },
        lapsed: { type: 'final' },
      },
    }),
    { sends: [Card], unhandled: 'reject' },
  )

export const retryForEver: PlantedBug = {
  mistake: 'A retry without an end',
  origin: 'Trying again mends what is transient; a card that has expired stays so, and nobody counts.',
  finding: 'EVENTUALLY_NEVER every renewal comes to an end',
  world: (version) => {
    const saga = renewal(version)
    return world({ entities: [card, saga] })
      .stimuli({
        begin: [send(Renewal.at('r1'), { type: 'Begin' })],
        expire: [send(Card.at('r1'), { type: 'Expire' })],
      })
      .eventually('every renewal comes to an end', (w) => w.all(saga).every(({ status }) => status === 'done'))
  },
}
