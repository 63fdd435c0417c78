// Long random runs of a bank: faults are harmless to a correct one, and each mistake shows with a short story.
import { deflateRawSync } from 'node:zlib'
import { WorldError } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { bank, type Post } from './bank.ts'
import { found } from './found.ts'
import { memory, sqlite } from './stores.ts'

describe.each([
  { store: memory, runs: 150 },
  { store: sqlite, runs: 20 },
])('on $store.name', ({ store, runs }) => {
  test('no fault that the guarantees allow for harms a bank that is right', { timeout: 120_000 }, async () => {
    const report = await bank().simulate({ runs, faults: 'harsh', stores: [store] })
    expect(report.runs).toBe(runs)
    expect(report.crashes).toBeGreaterThan(runs)
    expect(report.turns).toBeGreaterThan(runs * 20)
    expect(report.sometimes).toEqual(['a transfer is refused', 'a transfer is done'])
    expect(`${report}`).toContain(`${runs} runs of up to 30 calls, seed 1, faults harsh, on ${store.name}`)
  })
})

test('every fault strikes', { timeout: 60_000 }, async () => {
  const { struck } = await bank().simulate({ runs: 40, faults: 'harsh' })
  expect(Object.keys(struck).sort()).toMatchInlineSnapshot(`
    [
      "clockStep",
      "conflict",
      "crash",
      "crashAfterAnswer",
      "crashAfterWrite",
      "crashBeforeWrite",
      "delay",
      "lateWrite",
      "lostAnswer",
      "pause",
      "redelivery",
      "refusedWrite",
      "restart",
    ]
  `)
})

test('without faults nothing strikes', async () => {
  const { struck, crashes } = await bank().simulate({ runs: 5, faults: 'none' })
  expect({ struck, crashes }).toEqual({ struck: {}, crashes: 0 })
})

test('money that does not go back is missed at rest', { timeout: 60_000 }, async () => {
  const error = await found(bank({ refund: 'forgotten' }).simulate())
  expect(error.finding).toBe('EVENTUALLY_NEVER all money is there')
  expect(error.story?.steps.map(({ what }) => what)).toEqual([
    'Start',
    'Debit',
    'account.Debited',
    'Credit',
    'account.rejected',
  ])
})

test('an outside that does not know its letters sends one twice, and the story says why', {
  timeout: 90_000,
}, async () => {
  const error = await found(bank({ letters: 'sent again' }).simulate({ faults: 'harsh' }))
  expect(error.finding).toBe('INVARIANT_BROKEN a letter is sent once')
  expect(error.story?.steps.length).toBeLessThanOrEqual(12)
  expect(error.story?.steps.at(-1)).toMatchObject({ to: 'outside', what: 'effect "notify"' })
  expect(error.story?.steps.at(-1)?.note).toMatch(/^run again after the host /)
  const outside = error.story?.changes.find(({ entity }) => entity === 'outside')
  const lettersOf = (look: { readonly context: unknown } | undefined) => (look?.context as Post | undefined)?.letters
  expect(lettersOf(outside?.before)).toEqual({})
  expect(Object.values(lettersOf(outside?.previous) ?? {})).toEqual([1])
  expect(Object.values(lettersOf(outside?.after) ?? {})).toEqual([2])
})

test('a failure is found again from its token, and passes once it is mended', { timeout: 60_000 }, async () => {
  const broken = bank({ refund: 'forgotten' })
  const first = await found(broken.simulate())
  const again = await found(broken.replay(first.token ?? ''))
  expect(again.finding).toBe(first.finding)
  expect(again.story).toEqual(first.story)
  expect(again.token).toBe(first.token)
  await bank().replay(first.token ?? '')
})

test.each([
  [{}, 'TOKEN_UNREADABLE'],
  [
    { seed: 1, store: 'memory', groupTurns: 1, maxLive: 1, latency: 'steady', actions: [{ do: 'meteor', at: 1 }] },
    'TOKEN_UNREADABLE',
  ],
  [runOf({ entity: 'wallet/1', message: { type: 'Start' } }), 'REPLAY_DIFFERS'],
  [runOf({ entity: 'transfer/1', message: { type: 'Begin' } }), 'REPLAY_DIFFERS'],
  [runOf({ entity: 'transfer/1', message: { type: 'Start', from: 'A', to: 'B', cents: -1 } }), 'REPLAY_DIFFERS'],
])('a token that holds %j is %s', async (run, code) => {
  const token = `i1:${deflateRawSync(JSON.stringify({ by: 'simulate', options: {}, run })).toString('base64url')}`
  expect((await found(bank().replay(token))).code).toBe(code)
})

test('an accepted finding is let pass', async () => {
  const name = 'EVENTUALLY_NEVER all money is there'
  const report = await bank({ refund: 'forgotten' }).accept(name).simulate({ runs: 20 })
  expect(report.runs).toBe(20)
})

test('what never happens is said so', async () => {
  const error = await found(
    bank()
      .sometimes('a bank robbery', () => false)
      .simulate({ runs: 20 }),
  )
  expect(error.finding).toBe('SOMETIMES_NEVER a bank robbery')
})

test('a property that throws is a finding of its own, with what it threw', async () => {
  const cause = new TypeError('no such account')
  const throwing = bank().always('looks too far', () => {
    throw cause
  })
  const error = await found(throwing.simulate({ runs: 1 }))
  expect(error.finding).toBe('PROPERTY_THREW looks too far')
  expect(error.cause).toBe(cause)
})

test.each([
  [{ runs: 0 }, 'runs is 0'],
  [{ runs: Number.NaN }, 'runs is NaN'],
  [{ stimuli: 1.5 }, 'stimuli is 1.5'],
  [{ seed: -1 }, 'seed is -1'],
  [{ faults: { meteor: 1 } as never }, 'There is no fault "meteor"'],
  [{ faults: { crash: 1.1 } }, 'The rate of crash is 1.1'],
  [{ faults: 'cruel' as never }, 'not "cruel"'],
  [{ stores: [] }, 'no store'],
])('%j is refused before anything runs', async (options, what) => {
  const error = await found(bank().simulate(options))
  expect(error.code).toBe('WORLD_INVALID')
  expect(error.message).toContain(what)
})

test('an effect that the world says nothing about is refused before anything runs', async () => {
  const { world } = await import('@interstate/testing')
  const { account, transferOf } = await import('./bank.ts')
  const error = await found(world({ entities: [account, transferOf()] }).simulate())
  expect(error.finding).toBe('EFFECT_WITHOUT_MODEL transfer.notify')
  expect(error).toBeInstanceOf(WorldError)
})

function runOf(call: object): object {
  const action = { do: 'call', at: 0, number: 1, call: 'send', keyed: true, ...call }
  return { seed: 1, store: 'memory', groupTurns: 1, maxLive: 1, latency: 'steady', actions: [action] }
}
