// Whatever befalls several hosts that share a store: each message has its effect once (G1), nothing is lost (G2, G16), order
// holds (G6), and the history of all of them shows nothing wrong.
import { InterstateError, idempotencyKey } from '@interstate/core'
import { type WriteTrouble, writeTroubles } from '@interstate/testing/stores'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Clerk, cast } from './cast.ts'
import { detectMs, Fleet, type Member } from './fleet.ts'
import { type StoreUnderTest, storesOfScope } from './stores.ts'

type Step =
  | { readonly do: 'send'; readonly clerk: number; readonly till: number; readonly count: number; readonly by: number }
  | { readonly do: 'again'; readonly which: number; readonly by: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'join' | 'settle' }
  | { readonly do: 'leave' | 'kill' | 'pause' | 'wake'; readonly who: number }
  | { readonly do: 'trouble'; readonly who: number; readonly what: Trouble }
/** One that fences ends the process: that is a matter of one store and its host. */
type Trouble = Exclude<WriteTrouble, 'fenced' | 'lands late'> | 'a word is lost' | 'a call fails'

interface Run {
  readonly steps: readonly Step[]
  /** Every so many messages fail at first. */
  readonly stumbles: number
  readonly groupTurns: number
}

const small = fc.nat(5)
const troubles: readonly Trouble[] = [
  ...writeTroubles.filter((each) => each !== 'fenced' && each !== 'lands late'),
  'a word is lost',
  'a call fails',
]
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      clerk: small,
      till: small,
      count: fc.integer({ min: 1, max: 6 }),
      by: small,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const), which: fc.nat(100), by: small }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3 * detectMs) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('join', 'settle') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('leave', 'kill', 'pause', 'wake'), who: small }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('trouble' as const), who: small, what: fc.constantFrom(...troubles) }),
  },
)
const runs: fc.Arbitrary<Run> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  stumbles: fc.integer({ min: 3, max: 20 }),
  groupTurns: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_000)),
})

/** A client's call, repeated under its key until it is acknowledged. */
interface Call {
  readonly clerk: string
  readonly to: string
  readonly n: number
  kept: boolean
}

/** Plays a run, and looks whether everything happened once. */
async function play(under: StoreUnderTest, { steps, stumbles, groupTurns }: Run): Promise<void> {
  const tries = new Map<string, number>()
  const { till, clerk, audit, entities } = cast((n, by) => {
    const tried = tries.get(`${by} ${n}`) ?? 0
    tries.set(`${by} ${n}`, tried + 1)
    if (n % stumbles === 1 && tried < 2) throw new Error('stumbles')
  })
  await using fleet = new Fleet(under, entities)
  const policies = { groupTurns, groupPart: 2, retry: { attempts: 50, crashes: 1_000, firstDelayMs: 50, factor: 1.5 } }
  const calls: Call[] = []
  const join = async (): Promise<void> => void (await fleet.join({ policies }))
  const one = (which: number): Member => fleet.members[which % fleet.members.length] as Member
  const send = (call: Call, { host }: Member): void => {
    const options = { idempotencyKey: idempotencyKey(`${call.n}`, { at: 1_700_000_000_000 }) }
    host.send(Clerk.at(call.clerk), { type: 'Tell', to: call.to, n: call.n }, options).then(
      () => {
        call.kept = true
      },
      () => {},
    )
  }
  /** Who was killed by a trouble is out. */
  const bury = async (): Promise<void> => {
    for (const member of [...fleet.members]) if (member.store.killed) fleet.kill(member)
    if (fleet.members.length === 0) await join()
  }
  const take = async (each: Step): Promise<void> => {
    switch (each.do) {
      case 'send':
        for (let count = 0; count < each.count; count += 1) {
          const call = { clerk: `c${each.clerk}`, to: `t${each.till}`, n: calls.length, kept: false }
          calls.push(call)
          send(call, one(each.by))
        }
        return
      case 'again': {
        const call = calls[each.which % Math.max(1, calls.length)]
        if (call !== undefined) send(call, one(each.by))
        return
      }
      case 'wait':
        return fleet.env.advance(each.ms)
      case 'settle':
        return fleet.settle()
      case 'join':
        return fleet.members.length < 4 ? join() : undefined
      case 'leave':
        return fleet.leave(one(each.who))
      case 'kill':
        return fleet.kill(one(each.who))
      case 'pause':
        return fleet.pause(one(each.who))
      case 'wake':
        return fleet.wake(one(each.who))
      case 'trouble':
        return befall(one(each.who), each.what)
    }
  }
  await join()
  for (const each of steps) {
    await take(each)
    await bury()
  }

  // No more troubles: clients repeat what was not acknowledged, and everything comes to rest.
  for (const member of fleet.members) {
    fleet.wake(member)
    member.store.heal()
  }
  for (let repeats = 0; repeats < 60 && calls.some(({ kept }) => !kept); repeats += 1) {
    await bury()
    for (const call of calls) if (!call.kept) send(call, one(repeats))
    await fleet.env.advance(1_000)
  }
  expect(calls.filter(({ kept }) => !kept)).toEqual([])
  await fleet.rest()
  const { host } = one(0)
  const all = calls.map(({ n }) => n)
  const rung: number[] = []
  for (let each = 0; each <= 5; each += 1) {
    const numbers = (await host.read(till.at(`t${each}`)))?.context.rung ?? []
    expect((await host.read(audit.at(`t${each}`)))?.context.heard ?? []).toEqual(numbers)
    expect(inOrder(numbers)).toEqual(calls.filter(({ to }) => to === `t${each}`).map(({ n }) => n))
    rung.push(...numbers)
    const mine = calls.filter((call) => call.clerk === `c${each}`).length
    expect((await host.read(clerk.at(`c${each}`)))?.context.told ?? 0).toBe(mine)
  }
  expect(inOrder(rung)).toEqual(all)
  expect(await host.deadLetters.list()).toEqual([])
  expect(await host.parked.list()).toEqual([])
  expect(await fleet.judge()).toEqual([])
}

function befall({ store }: Member, what: Trouble): void {
  if (what !== 'a word is lost' && what !== 'a call fails') {
    store.nextWrite(what)
    return
  }
  const before = store.fault
  store.fault = (call) => {
    if (what === 'a word is lost' && call !== 'notify') return before(call)
    store.fault = before
    throw new InterstateError('STORE_FAILED', `${call} fails.`)
  }
}

function inOrder(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((one, other) => one - other)
}

describe.each(storesOfScope('shard'))('several hosts on $name', (under) => {
  test('G1, G2, G6, G16: each message has its effect exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(runs, (played) => play(under, played)),
      { numRuns: 250 },
    )
  }, 120_000)
})
