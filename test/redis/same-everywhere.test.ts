// What a turn comes to does not depend on the store: the same calls at the same time leave the same bytes (G14).
import { contract, defineAggregate, entityId, partitionsOf, type StoreDriver, turn } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { redisStore } from '@interstate/store-redis'
import { VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { describeWithRedis, startServer } from './servers.ts'

const Log = contract('log', { commands: { Note: z.object({ text: z.string(), to: z.string() }) } })
const log = defineAggregate(
  Log,
  setup({
    types: Log.types<{ notes: readonly { text: string; id: string; at: number }[] }, typeof Log>(),
  }).createMachine({
    context: { notes: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          Note: [
            {
              guard: ({ event }) => event.to !== '',
              actions: [
                assign({ notes: ({ context, event }) => [...context.notes, noted(event.text)] }),
                sendTo(
                  ({ event }) => Log.at(event.to),
                  ({ event }) => ({ type: 'Note' as const, text: `${event.text}, handed on`, to: '' }),
                ),
              ],
            },
            { actions: assign({ notes: ({ context, event }) => [...context.notes, noted(event.text)] }) },
          ],
        },
        after: { 3600000: 'closed' },
      },
      closed: {},
    },
  }),
)

function noted(text: string): { text: string; id: string; at: number } {
  return { text, id: turn().id(), at: turn().now }
}

const keys = ['a', 'b', 'c', 'd']

/** The stored snapshots after some calls, every one of them at its own time of a clock that stands still between them. */
async function stored(store: StoreDriver): Promise<readonly (string | undefined)[]> {
  const env = new VirtualEnv({ seed: 7 })
  const host = await createHost({ entities: [log], store, env, policies: { analyse: false } })
  for (const [index, key] of keys.entries()) {
    const to = keys[(index + 1) % keys.length] ?? ''
    await host.send(Log.at(key), { type: 'Note', text: `note ${index}`, to })
    await host.drain()
    env.stepClock(1_000)
  }
  const entities = keys.map((key) => entityId('log', key))
  const rows = await store.load(partitionsOf(entities, store.shards))
  await host.stop()
  return rows.map((row) => row?.snapshot)
}

describeWithRedis('on Redis and in memory', () => {
  test('G14: the same calls at the same times leave byte-equal snapshots, ids and timers', async () => {
    await using server = await startServer()
    const client = server.client()
    const onRedis = await stored(redisStore({ client, shards: 8 }))
    const inMemory = await stored(memoryStore({ scope: 'shard', shards: 8 }))
    expect(inMemory.every((text) => text?.includes('handed on'))).toBe(true)
    expect(onRedis).toEqual(inMemory)
    client.disconnect()
  })
})
