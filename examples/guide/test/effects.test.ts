import { createHost, type Host } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test, vi } from 'vitest'
import { type Bank, Doorbell, doorbellWith, Label, labelWith, Payout, payoutWith } from '../src/how-to/effects.ts'
import { temporaryFile } from './temporary.ts'

const never = new Promise<never>(() => {})

describe('effects', () => {
  test('the result comes back as a message, and the command is answered with it', async () => {
    const label = labelWith({ print: async () => ({ sheet: 7 }) })
    await using host = await createHost({ entities: [label], store: sqliteStore({ path: temporaryFile() }) })
    expect(await host.ask(Label.at('a'), { type: 'Print', text: 'healing' })).toEqual({ type: 'Printed', sheet: 7 })
  })

  test('a failure arrives at onError as name and message', async () => {
    const label = labelWith({ print: () => Promise.reject(new Error('out of paper')) })
    await using host = await createHost({ entities: [label], store: sqliteStore({ path: temporaryFile() }) })
    expect(await host.ask(Label.at('a'), { type: 'Print', text: 'x' })).toEqual({ type: 'Failed', why: 'out of paper' })
    expect((await host.read(label.at('a')))?.value).toBe('empty')
  })

  test('an effect that had not ended runs again on the next host, under the same key', async () => {
    const path = temporaryFile()
    const print = vi.fn<(text: string, key: string) => Promise<{ sheet: number }>>()
    const label = labelWith({ print })
    print.mockReturnValueOnce(never)
    const first = await createHost({ entities: [label], store: sqliteStore({ path }) })
    await first.send(Label.at('a'), { type: 'Print', text: 'healing' })
    await vi.waitFor(() => expect(print).toHaveBeenCalledTimes(1))
    await first.stop()

    print.mockResolvedValueOnce({ sheet: 1 })
    await using second = await createHost({ entities: [label], store: sqliteStore({ path }) })
    await second.drain()
    expect((await second.read(label.at('a')))?.value).toBe('printed')
    expect(print).toHaveBeenCalledTimes(2)
    expect(print.mock.calls[1]).toEqual(print.mock.calls[0])
  })

  test('a state that is entered again starts a new effect; a key of our own stays the same', async () => {
    const keys: string[] = []
    const { host, env, payout } = await paying({
      transfer: async (_, key) => {
        keys.push(key)
        if (keys.length < 3) throw new Error('busy')
        return 'ref-1'
      },
    })
    await env.advance(60_000)
    expect(await host.read(payout.at('p'))).toMatchObject({ value: 'paid', context: { reference: 'ref-1' } })
    expect(keys).toEqual(['payout-p', 'payout-p', 'payout-p'])
    await host.stop()
  })

  test('what takes too long is aborted, tried again, and given up in the end', async () => {
    const signals: AbortSignal[] = []
    const { host, env, payout } = await paying({
      transfer: (_, __, signal) => {
        signals.push(signal)
        return never
      },
    })
    await env.advance(10 * 60_000)
    expect((await host.read(payout.at('p')))?.value).toBe('givenUp')
    expect(signals).toHaveLength(3)
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    await host.stop()
  })

  test('leaving the state aborts the effect, and a late result changes nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const { host, payout } = await paying({ transfer: () => promise })
    await host.ask(Payout.at('p'), { type: 'Abort' })
    resolve('ref-1')
    await host.drain()
    expect(await host.read(payout.at('p'))).toMatchObject({ value: 'aborted', context: { reference: '' } })
    await host.stop()
  })

  test('a plain action runs after the commit, and not again on the next host', async () => {
    const path = temporaryFile()
    const lines: string[] = []
    const doorbell = doorbellWith((line) => lines.push(line))
    const first = await createHost({ entities: [doorbell], store: sqliteStore({ path }) })
    await first.ask(Doorbell.at('front'), { type: 'Ring' })
    await first.stop()
    await using second = await createHost({ entities: [doorbell], store: sqliteStore({ path }) })
    await second.drain()
    expect(lines).toEqual(['rang 1 times'])
  })
})

async function paying(bank: Bank): Promise<{ host: Host; env: VirtualEnv; payout: ReturnType<typeof payoutWith> }> {
  const env = new VirtualEnv()
  const payout = payoutWith(bank)
  const host = await createHost({ entities: [payout], store: sqliteStore({ path: temporaryFile() }), env })
  await host.send(Payout.at('p'), { type: 'Pay', cents: 100 })
  // A moment, but no time: the effect starts.
  await env.advance(0)
  return { host, env, payout }
}
