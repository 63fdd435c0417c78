// till.ts: the entities of these tests: also the module that `dry-run --app` loads.
import { contract, type Definition, defineAggregate, effect } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const Till = contract('till', {
  commands: {
    Sell: z.object({ potion: z.string() }),
    Wait: z.object({}),
    Print: z.object({}),
  },
})

/** No price for a potion makes the machine fail. */
const prices: Readonly<Record<string, number>> = { healing: 500 }

const machine = setup({
  types: Till.types<{ cents: number }>(),
  actors: { print: effect<{ text: string }, undefined>(() => new Promise(() => {})) },
}).createMachine({
  context: { cents: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        Sell: { actions: assign({ cents: ({ context, event }) => context.cents + priceOf(event.potion) }) },
        Wait: 'waiting',
        Print: 'printing',
      },
    },
    waiting: { after: { 3600000: 'open' }, on: { Sell: { actions: () => priceOf('none') } } },
    printing: { invoke: { src: 'print', input: { text: 'a receipt' }, onDone: 'open' } },
  },
})

function priceOf(potion: string): number {
  const price = prices[potion]
  if (price === undefined) throw new Error(`no price for ${potion}`)
  return price
}

const Safe = contract('safe', { commands: { Sell: z.object({ potion: z.string() }) } })

/** Stops at a message that fails. */
const strict = setup({ types: Safe.types<{ cents: number }>() }).createMachine({
  context: { cents: 0 },
  on: { Sell: { actions: assign({ cents: ({ context, event }) => context.cents + priceOf(event.potion) }) } },
})

const till: Definition = defineAggregate(Till, machine)
const safe: Definition = defineAggregate(Safe, strict, { poison: 'park' })

export const entities: readonly Definition[] = [till, safe]
export { Safe, Till }
