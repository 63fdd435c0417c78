// Found by simulating three hosts: an alarm of lost history, raised by a host that read the two ends of a lane at two times.
import { contract, defineAggregate, type EntityId, type HostId, type MessageId } from '@interstate/core'
import { createHost, type Signal } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { FaultyStore } from '@interstate/testing/stores'
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'

const Egg = contract('egg', { commands: { Boil: z.object({}) } })
const egg = defineAggregate(Egg, setup({ types: Egg.types() }).createMachine({ on: { Boil: {} } }))

test.each(['untrimmed', 'trimmed'])('a message that comes between two looks at a lane is no loss, %s', async (how) => {
  const env = new VirtualEnv()
  const inner = memoryStore({ scope: 'shard', shards: 2 })
  const { lanes, cluster } = inner
  if (lanes === undefined || cluster === undefined) throw new Error('It has both.')
  /** Another host takes shard 0 and sends something from there to shard 1. */
  const another = async (number: number): Promise<void> => {
    const owner = `other ${number}` as HostId
    const [lease] = (await inner.acquire(owner, [0])).leases
    const [id, to] = [`m${number}` as MessageId, 'egg/1' as EntityId]
    const accepted = [{ id, to, shard: 1, body: '{}', entry: 0, lease }]
    await inner.write({ owner, tag: `t${number}`, accepted, registrations: [], commits: [], mode: 'each' })
    await lanes.deliver(await lanes.departures([0], 10))
    if (how === 'trimmed') await lanes.trim([{ from: 0, to: 1, number }])
  }
  const store = new FaultyStore(inner)
  let number = 0
  store.fault = (call) => {
    if ((call !== 'marks' && call !== 'heads') || number === 5) return undefined
    number += 1
    return another(number)
  }
  const signals: Signal['signal'][] = []
  await createHost({ entities: [egg], store, env, onSignal: ({ signal }) => void signals.push(signal) })
  await env.advance(10_000)
  expect((await cluster.view()).halts).toEqual([])
  expect(signals).not.toContain('history-lost')
  expect(number).toBe(5)
})
