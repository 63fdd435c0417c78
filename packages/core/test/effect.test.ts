import { expect, test } from 'vitest'
import { createActor, toPromise } from 'xstate'
import { effect, giveKey } from '../src/index.ts'

test('an effect gets its input, and the key that its host gives it', async () => {
  const logic = effect(async ({ input, idempotencyKey }: { input: { n: number }; idempotencyKey: string }) => [
    input.n,
    idempotencyKey,
  ])
  const actor = createActor(logic, { input: { n: 7 } })
  giveKey(actor, 'turn-1')
  expect(await toPromise(actor.start())).toEqual([7, 'turn-1'])
})

test("without a host, in XState's own tools, it gets a key too", async () => {
  const actor = createActor(effect(async ({ idempotencyKey }) => idempotencyKey))
  expect(await toPromise(actor.start())).toMatch(/./)
})

test('its signal aborts when it is stopped', async () => {
  let seen: AbortSignal | undefined
  const actor = createActor(
    effect(({ signal }) => {
      seen = signal
      return new Promise(() => {})
    }),
  ).start()
  expect(seen?.aborted).toBe(false)
  actor.stop()
  expect(seen?.aborted).toBe(true)
})

test('what it rejects with, or throws, is its error', async () => {
  await expect(toPromise(createActor(effect(() => Promise.reject(new RangeError('no')))).start())).rejects.toThrow('no')
})
