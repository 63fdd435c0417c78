// ends-by-itself.ts: a script that uses a host and has nothing else to do. What it leaves behind would keep it alive.
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { sqliteStore } from '@interstate/store-sqlite'
import { Counter, counter } from './counters.ts'

const path = process.argv[2]
const store = path === undefined ? memoryStore() : sqliteStore({ path })
{
  await using host = await createHost({ entities: [counter], store })
  await host.ask(Counter.at('a'), { type: 'Add', by: 1 })
  // A timer of an hour, an effect of a minute, a question that nobody answers in time: all are left as they are.
  await host.send(Counter.at('b'), { type: 'Wait' })
  await host.send(Counter.at('c'), { type: 'Fetch' })
  host.ask(Counter.at('d'), { type: 'Wait' }).catch(() => {})
}
process.stdout.write(`stopped ${Date.now()}\n`)
process.on('exit', () => process.stdout.write(`exit ${Date.now()}\n`))
