// What a spec does not say must not happen: whatever came out unnamed fails, and so does a spec that says nothing.
import { spawnSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { spec } from '../src/index.ts'
import { fulfilment, Letter, payment, Stock } from './spec-shop.ts'

const context = { order: 'o-1', potion: 'luck', shelf: 'a', from: '' }
const refused = () => spec(payment).when({ type: 'Charge', cents: 200_000 })
const booking = () => spec(fulfilment).givenState('paying', context).when({ type: 'payment.Charged', cents: 1, at: 1 })
const submitted = { type: 'order.Submitted', orderId: 'o-1', potion: 'luck' } as const

describe('the end of a test fails', () => {
  test.fails('for a spec without any then', () => {
    refused()
  })
  test.fails('for a spec that only says that the rest does not matter', () => {
    refused().andAnythingElse()
  })
  test.fails('for an event that no then named', () => {
    refused().thenState('open')
  })
  test.fails('for a command that no then named', () => {
    spec(fulfilment).when(submitted).thenState('reserving')
  })
  test.fails('for a delayed command that no then named', () => {
    spec(payment).when({ type: 'Remind' }).thenState('open')
  })
  test.fails('for a reply that no then named', () => {
    spec(payment)
      .when({ type: 'Charge', cents: 5 })
      .thenPublishes({ type: 'Charged', cents: 5, at: expect.any(Number) })
  })
  test.fails('for an effect that no then named', () => {
    booking().thenStarts('book').thenStarts('label')
  })
  test.fails('for a refusal that no then named', () => {
    spec(payment).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Ping' }).thenState('unconfirmed')
  })
  test.fails('for a refusal, even when anything else may come', () => {
    const refusal = spec(payment).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Ping' })
    refusal.thenState('unconfirmed').andAnythingElse()
  })
  test.fails('for a turn that failed', () => {
    spec(payment).givenState('open', { cents: 0, currency: '' }).when({ type: 'Break' }).thenState('open')
  })
  test.fails('for an unnamed output of a spec before the last', () => {
    refused().thenState('open')
    spec(payment).when({ type: 'Charge', cents: 6_000 }).thenState('unconfirmed')
  })
})

describe('the same fails at once', () => {
  test('where a spec says that nothing else comes', () => {
    const said = () => refused().thenState('open').andNothingElse()
    expect(said).toThrow(expect.objectContaining({ code: 'SPEC_FAILED', expected: [] }))
    expect(said).toThrow(/! publishes Refused \{ reason: 'limit' \}\n/)
  })

  test('where a spec says that nothing comes', () => {
    expect(() => refused().thenNothing()).toThrow(expect.objectContaining({ code: 'SPEC_FAILED' }))
    expect(() => spec(fulfilment).when(submitted).thenNothing()).toThrow(
      /! sends Reserve \{ quantity: 1 \} to stock\/luck\n/,
    )
  })

  test('where nothing was said', () => {
    expect(() => refused().andNothingElse()).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }))
  })
})

describe('a spec that says all holds', () => {
  test('with all outputs named', () => {
    refused().thenPublishes({ type: 'Refused', reason: 'limit' }, { type: 'Noted' }).andNothingElse()
    booking().thenStarts('book').thenStarts('label').thenStarts('label').andNothingElse()
    spec(fulfilment).when(submitted).thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 1 }).andNothingElse()
    const letter = { type: 'Write', text: 'Pay!' } as const
    spec(payment)
      .when({ type: 'Remind' })
      .thenSends(Letter.at('desk'), letter, { after: { hours: 2 } })
      .andNothingElse()
  })

  test('with the rest allowed', () => {
    refused().thenState('open').andAnythingElse().andNothingElse()
  })

  test('with nothing to say but the state', () => {
    spec(payment).when({ type: 'Charge', cents: 6_000 }).thenState('unconfirmed').andNothingElse()
  })
})

describe('where the test cannot be known', () => {
  test.concurrent('a spec that leaves nothing out passes among tests that run at once', async () => {
    spec(payment).when({ type: 'Charge', cents: 6_000 }).thenState('unconfirmed')
    await setImmediate()
  })

  test.each([
    ['', 'proves nothing'],
    [".thenState('open')", 'does more than the spec says'],
  ])('a spec that leaves something out ends a program without vitest: %s', (then, why) => {
    const program = `
      import { spec } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url))}
      import { payment } from ${JSON.stringify(new URL('spec-shop.ts', import.meta.url))}
      spec(payment).when({ type: 'Charge', cents: 200_000 })${then}`
    const flags = ['--conditions=@interstate/source', '--input-type=module', '--eval', program]
    const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
    expect(stderr).toContain(why)
    expect(status).toBe(1)
  })
})
