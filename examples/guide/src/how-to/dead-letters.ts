// Dead letters and parked entities: what a person does with what stands still.
import { contract, defineAggregate, type EntityId, type MessageId } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { assign, setup } from 'xstate'
import { z } from 'zod'

/** A table that a machine reads, and that somebody forgot to fill. */
export const prices: Record<string, number> = {}

const Till = contract('till', { commands: { Sell: z.object({ potion: z.string() }) } })

const machine = setup({ types: Till.types<{ cents: number }>() }).createMachine({
  context: { cents: 0 },
  on: {
    Sell: { actions: assign({ cents: ({ context, event }) => context.cents + priceOf(event.potion) }) },
  },
})

function priceOf(potion: string): number {
  const price = prices[potion]
  if (price === undefined) throw new Error(`no price for ${potion}`)
  return price
}

// #region policies
/** The default of an aggregate: the message is put away, and the entity goes on with the next. */
export const till = defineAggregate(Till, machine)

/** Where order matters more than going on: the entity stops with the message at its head. */
export const strictTill = defineAggregate(Till, machine, { poison: 'park' })
// #endregion
export { Till }

export async function lookAt(host: Host, log: (line: string) => void): Promise<readonly MessageId[]> {
  // #region list
  const letters = await host.deadLetters.list({ limit: 100 })
  for (const { id, entity, message, code, text, attempts, at } of letters) {
    log(`${new Date(at).toISOString()} ${id}: ${message?.type} to ${entity} failed ${attempts} times: ${code} ${text}`)
  }
  // #endregion
  return letters.map(({ id }) => id)
}

export async function tryOut(host: Host, id: MessageId): Promise<string> {
  // #region dry-run
  const dry = await host.deadLetters.dryRun(id)
  if (!dry.succeeds) return `it would fail again: ${dry.error.code}`
  return `${dry.outcome}; it would send ${dry.sends.length} messages`
  // #endregion
}

export async function sendAgain(host: Host, ids: readonly MessageId[]): Promise<void> {
  // #region requeue
  await host.deadLetters.requeue(...ids)
  // #endregion
}

export async function letGoOn(host: Host, entity: EntityId): Promise<void> {
  // #region unpark
  const standing = await host.parked.list()
  const { code, text } = standing.find((each) => each.entity === entity) ?? {}
  console.log(`${entity} stands still: ${code} ${text}`)

  // Once the cause is mended: `retry` handles the message, `dead-letter` puts it away.
  await host.parked.unpark(entity, 'retry')
  // #endregion
}
