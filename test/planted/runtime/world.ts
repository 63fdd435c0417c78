// world.ts: the house as a world, for the simulation: what must hold of it whatever befalls its hosts and its store.
import { type EffectCall, send, type World, world } from '@interstate/testing'
import fc from 'fast-check'
import { Alarm, Clerk, house } from './house.ts'

/** What the outside knows: which number was paid under which key. */
export interface Ledger {
  readonly paid: Record<string, number>
}

const { clerk, till, payment, audit, alarm, entities } = house({
  pay: () => Promise.reject(new Error('no network in a world')),
  trial: () => {},
})
const name = fc.constantFrom('0', '1')
const ms = fc.integer({ min: 1, max: 5_000 })
/** Hardly ever the same twice: a number is told once. */
const number = fc.noBias(fc.integer({ min: 1, max: 1 << 30 }))

/** See the file head. */
export const houseWorld: World<Ledger> = world({ entities })
  .stimuli({
    tell: fc
      .record({ of: name, to: name, n: number })
      .map(({ of, to, n }) => send(Clerk.at(of), { type: 'Tell', to, n })),
    arm: fc.record({ of: name, ms }).map(({ of, ms }) => send(Alarm.at(of), { type: 'Arm', ms })),
    disarm: name.map((of) => send(Alarm.at(of), { type: 'Disarm' })),
    post: fc.record({ of: name, ms, n: number }).map(({ of, ms, n }) => send(Alarm.at(of), { type: 'Post', ms, n })),
  })
  .outside<Ledger>({ paid: {} })
  .effects({
    pay: ({ input, idempotencyKey, outside }: EffectCall<Ledger, { n: number }>) => {
      outside.paid[idempotencyKey] = input.n
      return null
    },
  })
  .always('a till sees what a clerk sent, in its order', (w) =>
    w.all(clerk).every(({ entity, context: { told } }) =>
      w.all(till).every(({ key, context: { seen } }) => {
        const sent = told.filter(({ to }) => to === key).flatMap(({ n }) => [`${n}.1`, `${n}.2`])
        return (seen[entity] ?? []).every((each, index) => each === sent[index])
      }),
    ),
  )
  .always('nothing is posted twice', (w) =>
    w
      .all(till)
      .every(({ context: { seen } }) => Object.values(seen).every((each) => new Set(each).size === each.length)),
  )
  .always('an alarm never rings early', (w) =>
    w.all(alarm).every(({ context: { rang } }) => rang.every(({ due, at }) => at >= due)),
  )
  .always('nothing is paid twice', (w) => {
    const numbers = Object.values(w.outside.paid)
    return new Set(numbers).size === numbers.length
  })
  .eventually('every alarm has rung', (w) => w.all(alarm).every(({ value }) => value === 'idle'))
  .eventually('tills have seen everything', (w) => {
    const sent = w.all(clerk).flatMap(({ context: { told } }) => told)
    const seen = w.all(till).flatMap(({ context }) => Object.entries(context.seen))
    return (
      2 * sent.length === seen.reduce((sum, [from, each]) => sum + (from.startsWith('clerk/') ? each.length : 0), 0)
    )
  })
  .eventually('every payment is settled', (w) =>
    w.all(payment).every(({ value }) => value === 'paid' || value === 'expired'),
  )
  .eventually('the audit has heard of every payment', (w) => {
    const paid = w.all(payment).filter(({ value }) => value === 'paid')
    return paid.length === w.all(audit).reduce((sum, { context: { heard } }) => sum + heard.length, 0)
  })
  .sometimes('something is paid', (w) => w.any(payment, (each) => each.matches('paid')))
  .sometimes('an alarm rings', (w) => w.any(alarm, ({ context: { rang } }) => rang.length > 0))
