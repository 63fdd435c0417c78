// plan.ts: what befalls the house in one run, drawn as data.
import { type WriteTrouble, writeTroubles } from '@interstate/testing/stores'
import fc from 'fast-check'

export type Step =
  | {
      readonly do: 'tell'
      readonly clerk: number
      readonly till: number
      readonly count: number
      readonly asks: boolean
    }
  | { readonly do: 'again'; readonly which: number }
  | { readonly do: 'arm' | 'post'; readonly alarm: number; readonly ms: number }
  | { readonly do: 'disarm'; readonly alarm: number }
  | { readonly do: 'choke' | 'requeue' | 'settle' | 'restart' | 'crash' | 'take over' }
  | { readonly do: 'wait' | 'step the clock'; readonly ms: number }
  | { readonly do: 'purge'; readonly back: number }

/** See the file head. */
export interface Plan {
  readonly steps: readonly Step[]
  /** What befalls which write since the beginning. */
  readonly troubles: readonly { readonly at: number; readonly what: WriteTrouble }[]
  /** Every so many messages fail at first. */
  readonly stumbles: number
  readonly maxLive: number
  readonly groupTurns: number
}

const small = fc.nat(2)
const ms = fc.integer({ min: 1, max: 3_000 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      clerk: small,
      till: small,
      count: fc.integer({ min: 1, max: 5 }),
      asks: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), which: fc.nat(100) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('arm' as const, 'post' as const), alarm: small, ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disarm' as const), alarm: small }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('step the clock' as const),
      ms: fc.integer({ min: -600_000, max: 600_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), back: fc.nat(10_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('choke', 'requeue', 'settle', 'settle', 'settle', 'restart', 'crash', 'take over'),
    }),
  },
)
/** See the file head. `fenced` ends the process for good: a real store does it after a failed sync only. */
const trouble = fc.constantFrom(...writeTroubles.filter((each) => each !== 'fenced'))

export const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
  troubles: fc.array(fc.record({ at: fc.nat(40), what: trouble }), { maxLength: 6 }),
  stumbles: fc.integer({ min: 3, max: 20 }),
  maxLive: fc.integer({ min: 1, max: 20 }),
  groupTurns: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_000)),
})
