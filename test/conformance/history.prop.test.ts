// The judge of histories believes the runtime where it tells the truth, and nobody who lies.
import { checkHistory, type Happened } from '@interstate/testing/stores'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { plans } from '../planted/runtime/plan.ts'
import { play } from '../planted/runtime/run.ts'
import { mutationsOf } from './mutations.ts'
import { type StoreUnderTest, storesUnderTest } from './stores.ts'

const lasting = (under: StoreUnderTest) => () => {
  const { store, dispose } = under.open()
  return { store, dispose }
}

describe.each(storesUnderTest)('on $name', (under) => {
  const numRuns = under.name === 'memory' ? 100 : 15

  test('whatever befalls hosts and stores, the history breaks nothing, and neither does what is left', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { wrong } = await play(plan, lasting(under))
        expect(wrong).toEqual([])
      }),
      { numRuns },
    )
  }, 120_000)
})

const memories = storesUnderTest.filter(({ name }) => name.startsWith('memory'))

describe.each(memories)('on $name, a lie about a history is found:', (under) => {
  const numRuns = under.scope === 'store' ? 40 : 20
  const histories: (readonly Happened[])[] = []
  beforeAll(async () => {
    for (const plan of fc.sample(plans, { numRuns, seed: 3 })) {
      histories.push((await play(plan, lasting(under))).events)
    }
  }, 120_000)

  test.each(mutationsOf(under.scope).map((each) => [each.name, each] as const))('%s', async (_, mutation) => {
    let told = 0
    let harmless = 0
    for (const events of histories) {
      const places = events.flatMap((event, at) => (mutation.fits(event, at, events) ? [at] : []))
      for (const at of few(places)) {
        const found = checkHistory(mutation.apply(events, at), { atRest: true }).map(({ guarantee }) => guarantee)
        if (found.length === 0 && mutation.harmless?.(events, at) === true) {
          harmless += 1
          continue
        }
        told += 1
        expect(found, `of event ${at}: ${JSON.stringify(events[at]).slice(0, 500)}`).toEqual(
          expect.arrayContaining([expect.toBeOneOf([...mutation.finds])]),
        )
      }
    }
    expect(told).toBeGreaterThan(harmless)
  })
})

/** Some of many, spread over all. */
function few<T>(all: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.floor(all.length / 4))
  return all.filter((_, index) => index % step === 0)
}
