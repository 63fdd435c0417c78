import { contract, defineAggregate } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const Counter = contract('counter', { commands: { Add: z.object({ by: z.number() }) } })
const machine = setup({ types: Counter.types<{ total: number }>() }).createMachine({
  context: { total: 0 },
  on: { Add: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
})
const counter = defineAggregate(Counter, machine)

await using host = await createHost({ entities: [counter], store: sqliteStore({ path: 'counter.db' }) })
await host.ask(counter.at('runs'), { type: 'Add', by: 1 })
console.log((await host.read(counter.at('runs')))?.context.total)
