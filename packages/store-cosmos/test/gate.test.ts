// gate.test.ts: who may make a call, and when: K1 to K3.
import { expect, test } from 'vitest'
import { Gate, type Pass } from '../src/gate.ts'
import { VirtualTime } from './virtual-time.ts'

const far = Number.MAX_SAFE_INTEGER

function stage(mostAtOnce: number): {
  time: VirtualTime
  gate: Gate
  enter: (line: string, isBack?: boolean) => Promise<Pass | undefined>
  through: string[]
} {
  const time = new VirtualTime(0)
  const gate = new Gate(time, { mostAtOnce })
  const through: string[] = []
  const enter = async (line: string, isBack = false): Promise<Pass | undefined> => {
    const pass = await gate.enter({ line, deadline: far, isBack })
    through.push(line)
    return pass
  }
  return { time, gate, enter, through }
}

test('K1: nobody is let through before the time of a 429 is over, and then they are', async () => {
  const { time, enter } = stage(4)
  const first = await enter('a')
  first?.turnedAway(500)
  const second = enter('b')
  let letThroughAt: number | undefined
  const noted = second.then(() => {
    letThroughAt = time.now()
  })
  await time.run(time.sleep(499))
  expect(letThroughAt).toBeUndefined()
  await time.run(noted)
  expect(letThroughAt).toBe(500)
})

test('K1: the longest of several times counts', async () => {
  const { time, enter } = stage(4)
  const passes = [await enter('a'), await enter('b')]
  passes[0]?.turnedAway(500)
  passes[1]?.turnedAway(100)
  await time.run(enter('c'))
  expect(time.now()).toBe(500)
})

test('K2: as many as are refused together make it half as many once, and answers make it more again', async () => {
  const { time, enter, through } = stage(64)
  const passes: (Pass | undefined)[] = []
  for (let n = 0; n < 32; n += 1) passes.push(await enter('a'))
  for (const pass of passes) pass?.turnedAway(100)
  through.length = 0
  const waiting = Array.from({ length: 64 }, () => enter('b'))
  await time.run(time.sleep(200))
  expect(through).toHaveLength(16)
  for (const next of waiting.slice(0, 16)) (await next)?.done('served')
  await time.run(time.sleep(1))
  expect(through.length).toBe(32)
  for (const next of waiting.slice(16, 32)) (await next)?.done('served')
  await time.run(time.sleep(1))
  expect(through.length).toBeGreaterThan(48)
})

test('K2: a 429 that the client sat out by itself makes it fewer, too', async () => {
  const { time, enter, through } = stage(64)
  const passes: (Pass | undefined)[] = []
  for (let n = 0; n < 32; n += 1) passes.push(await enter('a'))
  for (const pass of passes) pass?.done('crowded')
  through.length = 0
  for (let n = 0; n < 64; n += 1) enter('b').catch(() => undefined)
  await time.run(time.sleep(1))
  expect(through).toHaveLength(16)
})

test('K3: who was turned away goes first, and entities take turns however many calls one has', async () => {
  const { time, enter, through } = stage(1)
  const pass = await enter('busy')
  const waiting = [
    ...Array.from({ length: 5 }, () => enter('busy')),
    enter('other'),
    enter('third'),
    enter('back', true),
  ]
  const passOn = async (current: Pass | undefined): Promise<void> => {
    for (let next = current; next !== undefined; ) {
      next.done('served')
      const [which, index] = await Promise.race([
        ...waiting.map(async (one, at) => [await one, at] as const),
        time.sleep(1).then(() => [undefined, -1] as const),
      ])
      if (index >= 0) waiting.splice(index, 1)
      next = which
    }
  }
  await time.run(passOn(pass))
  expect(through).toEqual(['busy', 'back', 'busy', 'other', 'third', 'busy', 'busy', 'busy', 'busy'])
})

test('whoever waits too long is told, and is not in the way of others', async () => {
  const { time, gate, enter } = stage(1)
  const pass = await enter('a')
  const hasty = gate.enter({ line: 'b', deadline: 50, isBack: false })
  const patient = enter('c')
  expect(await time.run(hasty)).toBeUndefined()
  expect(time.now()).toBe(50)
  pass?.done('other')
  expect(await time.run(patient)).toBeDefined()
})
