// esm.mjs: what a JavaScript project does with the packages.
import * as core from '@interstate/core'
import * as runtime from '@interstate/runtime'
import * as memory from '@interstate/store-memory'
import * as redis from '@interstate/store-redis'
import * as sqlite from '@interstate/store-sqlite'
import { Redis } from 'ioredis'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const Counter = core.contract('counter', {
  commands: { Add: z.object({ by: z.number().int() }) },
  replies: { Total: z.object({ total: z.number() }) },
})
const counter = core.defineAggregate(
  Counter,
  setup({}).createMachine({
    context: { total: 0 },
    on: {
      Add: {
        actions: [
          assign({ total: ({ context, event }) => context.total + event.by }),
          Counter.reply(({ context }) => ({ type: 'Total', total: context.total })),
        ],
      },
    },
  }),
)

const path = process.argv[2]
for (const store of [memory.memoryStore(), sqlite.sqliteStore({ path })]) {
  const host = await runtime.createHost({ entities: [counter], store })
  await host.send(Counter.at('1'), { type: 'Add', by: 40 })
  const reply = await host.ask(Counter.at('1'), { type: 'Add', by: 2 })
  await host.stop()
  console.log(`${store.name}: ${JSON.stringify(reply)}`)
}
// A server that isn't there is the store's to tell.
const client = new Redis({ port: 1, lazyConnect: true, retryStrategy: null }).on('error', () => {})
const store = redis.redisStore({ client, connectTimeoutMs: 500 })
const refusal = await runtime.createHost({ entities: [counter], store }).catch((error) => error)
console.log(`${store.name}: ${refusal.code}`)
client.disconnect()
const packages = ['cli', 'core', 'runtime', 'store-memory', 'store-redis', 'store-sqlite']
for (const name of packages) console.log(import.meta.resolve(`@interstate/${name}`))
