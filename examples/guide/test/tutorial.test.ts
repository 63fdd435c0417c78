import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from './program.ts'
import { temporaryFolder } from './temporary.ts'

const printed = async (name: string, folder = temporaryFolder()): Promise<readonly string[]> => {
  const { lines, errors, code } = await run(`tutorial/${name}`, { folder })
  expect(errors).toBe('')
  expect(code).toBe(0)
  return lines
}

describe('each step of the tutorial prints what the tutorial says', () => {
  test('step 1: bottles are kept in a file, so a second run finds those of the first', async () => {
    const folder = temporaryFolder()
    expect(await printed('1-first-aggregate.ts', folder)).toEqual(['healing: 12 bottles left'])
    expect(await printed('1-first-aggregate.ts', folder)).toEqual(['healing: 24 bottles left'])
  })

  test('step 2: a reply is an answer, a bad payload never gets in, and no transition is a refusal', async () => {
    expect(await printed('2-contract.ts')).toEqual([
      'ask for 5: Reserved',
      'ask for 500: SoldOut',
      'deliver -3: PAYLOAD_INVALID',
      'dispatch 500: MESSAGE_REFUSED',
    ])
  })

  test('step 3: a saga takes an order from the cart to the customer', async () => {
    expect(await printed('3-saga.ts')).toEqual(['order o-1: delivered', 'healing: { left: 10, reserved: 0, sold: 2 }'])
  })

  test('step 4: what is refused ends in a state of its own, and bottles stay set aside', async () => {
    expect(await printed('4-refusal.ts')).toEqual([
      'modest: delivered',
      'greedy: outOfStock',
      'grand: paymentRefused',
      'healing: { left: 7, reserved: 3, sold: 2 }',
    ])
  })

  test('step 5: half an hour without an answer is a timeout, not a minute less', async () => {
    expect(await printed('5-timeout.ts')).toEqual(['after 29 minutes: paying', 'prompt: delivered', 'silent: timedOut'])
  })

  test('step 6: what was done is undone, so nothing stays set aside', async () => {
    expect(await printed('6-compensation.ts')).toEqual([
      'modest: delivered',
      'grand: payment refused',
      'silent: timed out',
      'healing: { left: 28, reserved: 0, sold: 2 }',
    ])
  })

  test('step 7: the carrier is booked after the commit, and its answer comes back', async () => {
    expect(await printed('7-effect.ts')).toEqual(['o-1: delivered as parcel-1', 'the carrier has 1 booking'])
  })

  test('step 8: whenever the process is killed, a hundred orders are delivered and booked once each', async () => {
    const folder = temporaryFolder()
    let kills = 0
    for (let lifeMs = 60; ; lifeMs += 60) {
      const { signal } = await run('tutorial/8-kill.ts', { folder, args: [String(lifeMs)] })
      if (signal === null) break
      expect(signal).toBe('SIGKILL')
      kills += 1
    }
    expect(kills).toBeGreaterThan(0)
    expect(await printed('8-kill.ts', folder)).toEqual([
      '100 of 100 orders were known from before',
      '100 delivered',
      '100 bookings for 100 orders',
      'healing: { left: 800, reserved: 0, sold: 200 }',
    ])
    const ledger = readFileSync(join(folder, 'step-8.carrier.jsonl'), 'utf8').trim().split('\n')
    expect(new Set(ledger.map((line) => JSON.parse(line).key)).size).toBe(100)
  }, 120_000)
})
