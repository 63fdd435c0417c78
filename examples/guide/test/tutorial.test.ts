import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { run } from './program.ts'
import { temporaryFolder } from './temporary.ts'

/** What the tutorial shows as the output of a program. */
const shown = (name: string): readonly string[] =>
  readFileSync(new URL(`output/${name}.txt`, import.meta.url), 'utf8')
    .trim()
    .split('\n')

const printed = async (name: string, folder = temporaryFolder()): Promise<readonly string[]> => {
  const { lines, errors, code } = await run(`tutorial/${name}.ts`, { folder })
  expect(errors).toBe('')
  expect(code).toBe(0)
  return lines
}

describe('the programs of the tutorial print what the tutorial shows', () => {
  test('step 1: bottles are kept in a file, so a second run finds those of the first', async () => {
    const folder = temporaryFolder()
    expect(await printed('1-first-aggregate', folder)).toEqual(shown('1-first-aggregate'))
    expect(await printed('1-first-aggregate', folder)).toEqual(['healing: 24 bottles left'])
  })

  test.each([
    ['2-contract', 'a reply is an answer, a bad payload never gets in, and no transition is a refusal'],
    ['3-saga', 'a saga takes an order from the cart to the customer'],
    ['4-refusal', 'what is refused ends in a state of its own, and bottles stay set aside'],
    ['5-timeout', 'half an hour without an answer is a timeout, not a minute less'],
    ['6-compensation', 'what was done is undone, so nothing stays set aside'],
    ['7-effect', 'the carrier is booked after the commit, and its answer comes back'],
  ])('step %s: %s', async (name) => {
    expect(await printed(name)).toEqual(shown(name))
  })

  test('step 8: whenever the process is killed, a hundred orders are delivered and booked once each', async () => {
    const folder = temporaryFolder()
    let kills = 0
    for (let lifeMs = 100; ; lifeMs += 150) {
      const { signal, errors } = await run('tutorial/8-kill.ts', { folder, args: [String(lifeMs)] })
      expect(errors).toBe('')
      if (signal === null) break
      expect(signal).toBe('SIGKILL')
      kills += 1
    }
    expect(kills).toBeGreaterThan(0)
    expect(await printed('8-kill', folder)).toEqual(shown('8-kill'))
  }, 120_000)
})
