// Over random systems of machines the search meets exactly the states that a plain explorer meets, and the reductions lose none.
import { type Contract, contract, type Definition, defineAggregate } from '@interstate/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { type EntityView, type Stimulus, send, type WorldView, world } from '../src/index.ts'
import { explore, lookOf } from './explorer.ts'

const messages = ['a', 'b'] as const
const keys = ['1', '2']
const states = ['s0', 's1', 's2']

/** What one transition does: where it goes, and what it sends to the types behind its own. */
interface Reaction {
  readonly target: number | undefined
  readonly sends: readonly { readonly ahead: number; readonly key: number; readonly message: number }[]
}
/** By state: what it does on each message, and after a while. */
type Blueprint = readonly {
  readonly on: readonly (Reaction | undefined)[]
  readonly after: { readonly seconds: number; readonly reaction: Reaction } | undefined
}[]

const reactions: fc.Arbitrary<Reaction> = fc.record({
  target: fc.option(fc.nat(2), { nil: undefined }),
  sends: fc.array(fc.record({ ahead: fc.integer({ min: 1, max: 2 }), key: fc.nat(1), message: fc.nat(1) }), {
    maxLength: 2,
  }),
})
const blueprints: fc.Arbitrary<Blueprint> = fc.array(
  fc.record({
    on: fc.tuple(fc.option(reactions, { nil: undefined }), fc.option(reactions, { nil: undefined })),
    after: fc.option(fc.record({ seconds: fc.integer({ min: 1, max: 3 }), reaction: reactions }), {
      nil: undefined,
      freq: 2,
    }),
  }),
  { minLength: 3, maxLength: 3 },
)
const systems = fc.record({
  blueprints: fc.array(fc.array(blueprints, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  pool: fc.uniqueArray(fc.record({ key: fc.nat(1), message: fc.nat(1) }), {
    minLength: 1,
    maxLength: 2,
    selector: ({ key, message }) => `${key} ${message}`,
  }),
})

type None = Record<never, never>
type Noting = Contract<string, { a: z.ZodObject<None>; b: z.ZodObject<None> }, None, None>

function definitionsOf(blueprints: readonly (readonly Blueprint[])[]): readonly Definition[] {
  const contracts = blueprints.map((_, index) =>
    contract(`n${index}`, { commands: { a: z.object({}), b: z.object({}) } }),
  ) as unknown as readonly Noting[]
  return blueprints.map((blueprint, index) => define(blueprint, contracts, index))
}

/** A machine of several regions, so that several timers of one entity run at the same time. */
function define(regions: readonly Blueprint[], contracts: readonly Noting[], index: number): Definition {
  const own = contracts[index] as Noting
  const react = ({ target, sends }: Reaction, note: string, at: number, least: number) => ({
    // A timer leads on only, so that no system runs for ever.
    ...(target === undefined || target < least ? {} : { target: states[target] as string }),
    ...(at === target ? { reenter: true } : {}),
    actions: [
      assign({ seen: ({ context }: { context: { seen: string } }) => (context.seen + note).slice(-2) }),
      ...sends.flatMap(({ ahead, key, message }) => {
        const to = contracts[index + ahead]
        return to === undefined ? [] : [sendTo(to.at(keys[key] as string), { type: messages[message] as 'a' })]
      }),
    ],
  })
  const region = (blueprint: Blueprint, name: string) => {
    const config = blueprint.map(({ on, after }, at) => {
      const taken = on.flatMap((each, m) => (each ? [[messages[m], react(each, messages[m] as string, at, 0)]] : []))
      const later = after === undefined ? {} : { [after.seconds * 1_000]: react(after.reaction, name, at, at + 1) }
      return [states[at], { on: Object.fromEntries(taken), after: later }]
    })
    return { initial: 's0', states: Object.fromEntries(config) }
  }
  const machine = setup({ types: own.types<{ seen: string }>() }).createMachine({
    type: 'parallel',
    context: { seen: '' },
    states: Object.fromEntries(regions.map((each, at) => [`r${at}`, region(each, `${at}`)])),
  } as never)
  return defineAggregate(own as never, machine as never, {
    sends: contracts.slice(index + 1),
    unhandled: 'ignore',
    ignores: [...messages],
  }) as Definition
}

function stimuliOf(definitions: readonly Definition[], pool: readonly { key: number; message: number }[]): Stimulus[] {
  const { contract: first } = definitions[0] as Definition
  return pool.map(({ key, message }) => send(first.at(keys[key] as string), { type: messages[message] } as never))
}

const lookIn = ({ entity, value, context, status }: EntityView): unknown => [entity, value, context, status]
const text = (looks: readonly unknown[]): string =>
  JSON.stringify([...looks].map((each) => JSON.stringify(each)).sort())

test('the search meets exactly the states that a plain explorer with a ticking clock meets', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(systems, async ({ blueprints, pool }) => {
      const definitions = definitionsOf(blueprints)
      const stimuli = stimuliOf(definitions, pool)
      const reached: (readonly unknown[])[] = []
      const size = explore(definitions, stimuli, 2, (entities) => reached.push(entities.map(lookOf)))
      fc.pre(size !== undefined)
      const searched = world({ entities: definitions }).stimuli({ calls: stimuli })
      // Looking at one type only leaves room to reduce; of that type nothing may be lost.
      for (const watched of [definitions, ...definitions.map((one) => [one])]) {
        const met = new Set<string>()
        const note = (w: WorldView): boolean =>
          Boolean(met.add(text(watched.flatMap((each) => w.all(each).map(lookIn)))))
        await searched.always('noted', note).check({ stimuli: 2, unreached: 'report' })
        const isWatched = ([entity]: readonly [string]): boolean =>
          watched.some(({ name }) => entity.startsWith(`${name}/`))
        const expected = new Set(reached.map((looks) => text((looks as (readonly [string])[]).filter(isWatched))))
        expect([...met].sort()).toEqual([...expected].sort())
      }
    }),
    { numRuns: Number(process.env.INTERSTATE_SYSTEMS ?? 20) },
  )
})
