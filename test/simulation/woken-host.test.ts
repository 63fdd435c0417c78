// Found by simulating three hosts: a host that stood still while another ran its shard, and is to run it again.
import { contract, defineAggregate } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { FaultyStore } from '@interstate/testing/stores'
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'

const Egg = contract('egg', { commands: { Boil: z.object({}) } })
const egg = defineAggregate(
  Egg,
  setup({ types: Egg.types() }).createMachine({
    initial: 'raw',
    states: { raw: { on: { Boil: 'boiling' } }, boiling: { after: { 60000: 'done' } }, done: { type: 'final' } },
  }),
)

test('a host that wakes runs the timers of a shard that another one ran meanwhile', async () => {
  const env = new VirtualEnv()
  const inner = memoryStore({ scope: 'shard', shards: 1 })
  const start = (store: FaultyStore, pins: readonly number[]): Promise<Host> =>
    createHost({ entities: [egg], store, env, cluster: { detectMs: 2_000, lookMs: 500, pins } })
  const [early, late] = [new FaultyStore(inner), new FaultyStore(inner)]
  await start(early, [0])
  const { promise, resolve: wake } = Promise.withResolvers<void>()
  early.fault = () => promise
  const host = await start(late, [])
  await env.advance(5_000)
  await host.send(Egg.at('1'), { type: 'Boil' })
  await env.advance(1_000)
  wake()
  early.fault = () => undefined
  await env.advance(120_000)
  const [lease] = (await inner.cluster?.leases([0])) ?? []
  expect(lease?.epoch).toBe(3)
  expect((await host.read(egg.at('1')))?.value).toBe('done')
})
