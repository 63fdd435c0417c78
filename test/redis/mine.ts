// mine.ts: an entity whose message kills the process that handles it, as long as it is armed.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { contract, defineAggregate } from '@interstate/core'
import { object } from 'valibot'
import { assign, setup } from 'xstate'
import type { Orders } from './messages.ts'

export const Mine = contract('mine', { commands: { Step: object({}) } })

/** All hosts see it: it stands beside their ledger. */
const fuseOf = ({ ledger }: Pick<Orders, 'ledger'>): string => `${ledger}.fuse`

export function arm(orders: Orders): void {
  writeFileSync(fuseOf(orders), '')
}

export function disarm(orders: Orders): void {
  rmSync(fuseOf(orders))
}

export function mineOf(orders: Orders) {
  return defineAggregate(
    Mine,
    setup({ types: Mine.types<{ steps: number }>() }).createMachine({
      context: { steps: 0 },
      on: {
        Step: {
          actions: assign(({ context }) => {
            if (existsSync(fuseOf(orders))) process.kill(process.pid, 'SIGKILL')
            return { steps: context.steps + 1 }
          }),
        },
      },
    }),
  )
}
