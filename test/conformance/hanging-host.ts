// hanging-host.ts: a host in a process of its own, with a guard that never comes back. Run by recovery.test.ts.
// It ends with status 0 when everything is handled or put away, and tells what became of it as one line of JSON.
import { contract, defineAggregate } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { assign, enqueueActions, setup } from 'xstate'
import { z } from 'zod'

const [path, first] = process.argv.slice(2)
if (path === undefined) throw new Error('Give a path.')

const Loop = contract('loop', {
  commands: { Go: z.object({ n: z.number() }), Later: z.object({ to: z.string(), n: z.number() }) },
})
const loop = defineAggregate(
  Loop,
  setup({
    types: Loop.types<{ gone: number[] }>(),
    guards: {
      comesBack: ({ event }) => {
        while (event.type === 'Go' && event.n < 0) {}
        return true
      },
    },
  }).createMachine({
    context: { gone: [] },
    on: {
      Go: {
        guard: 'comesBack',
        actions: assign({ gone: ({ context, event }) => [...context.gone, event.n] }),
      },
      Later: {
        actions: enqueueActions(({ event: { to, n }, enqueue }) => {
          enqueue.sendTo(Loop.at(to), { type: 'Go', n }, { delay: 100 })
        }),
      },
    },
  }),
)

const host = await createHost({
  entities: [loop],
  store: sqliteStore({ path }),
  policies: { hangMs: 400, retry: { crashes: 2 }, verify: 'never' },
})
if (first === 'first') {
  const go = (key: string, n: number) => host.send(Loop.at(key), { type: 'Go', n })
  await Promise.all([go('a', 1), go('b', 2), go('c', 3)])
  const later = (to: string, n: number) => host.send(Loop.at('d'), { type: 'Later', to, n })
  await Promise.all([later('a', -1), later('a', 4), later('b', 5)])
  // It hangs long before.
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}
await host.drain()
const gone = await Promise.all(['a', 'b', 'c'].map(async (key) => (await host.read(loop.at(key)))?.context.gone))
const letters = (await host.deadLetters.list()).map(({ code, message }) => [code, message?.data.n])
process.stdout.write(`${JSON.stringify({ gone, letters })}\n`)
await host.stop()
