// runs-until-terminated.ts: a process with hosts that takes messages until it is told to end, and says which it accepted.
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Counter, counter } from './counters.ts'

const hosts = await Promise.all(
  process.argv.slice(2).map((path) => createHost({ entities: [counter], store: sqliteStore({ path }) })),
)
for (const [index, host] of hosts.entries()) {
  await host.send(Counter.at('fetching'), { type: 'Fetch' })
  await host.send(Counter.at('waiting'), { type: 'Wait' })
  void sendOn(index, host)
}

/** Sends with a hundred calls in the air, until a call is refused. */
async function sendOn(index: number, host: (typeof hosts)[number]): Promise<void> {
  let accepted = 0
  let refused = ''
  const one = async (): Promise<void> => {
    while (refused === '') {
      await host.send(Counter.at('a'), { type: 'Add', by: 1 }).then(
        () => {
          accepted += 1
          if (accepted === 500) process.stdout.write(`host ${index} is busy\n`)
        },
        ({ code }: { code: string }) => {
          refused = code
        },
      )
    }
  }
  await Promise.all(Array.from({ length: 100 }, one))
  process.stdout.write(`host ${index} accepted ${accepted} then ${refused}\n`)
}
