// outside.ts: what stands in the place of effects: models that act on a picture of the outside, after a while. What a
// process asked for happens even when the process has ended meanwhile; only it hears nothing of it.
import { type Definition, type EffectArgs, effect, isPromiseLogic, logicOf, type PlainObject } from '@interstate/core'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { WorldError } from '../failure/error.ts'
import { observed, type Watch } from '../observe/observe.ts'
import { type EffectModel, effectModels, type WorldPlan } from '../world/plan.ts'

/** An effect that a machine has asked for. */
export interface AskedEffect {
  readonly definition: string
  readonly name: string
  /** @throws WorldError `EFFECT_WITHOUT_MODEL`. */
  readonly ways: () => readonly EffectModel[]
  readonly args: EffectArgs<unknown>
}

/** Runs an effect; resolves to its output. */
export type Perform = (asked: AskedEffect) => Promise<unknown>

/** Who hears of machines while hosts run them. */
export interface Hearer {
  readonly perform: Perform
  /** An observed machine has refused what no turn may do. Of what follows the host tells the text only. */
  readonly refused: (type: string, error: WorldError) => void
  readonly watch: Watch
}

/**
 * The definitions, observed, with models in the place of their effects.
 *
 * @throws WorldError `EFFECT_WITHOUT_MODEL`.
 */
export function withModels(plan: WorldPlan, hearer: Hearer): readonly Definition[] {
  return plan.entities.map((definition) => {
    const copy = observed({ ...definition, machine: modelled(plan, definition, hearer.perform) }, hearer.watch)
    // Only now: another copy would be made of the user's own config.
    inlineModels(plan, definition.name, copy.machine, hearer.perform)
    tellRefusals(copy, hearer)
    return copy
  })
}

function tellRefusals({ name, machine }: Definition, { refused }: Hearer): void {
  const telling = <A extends unknown[], R>(body: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      try {
        return body(...args)
      } catch (error) {
        if (error instanceof WorldError) refused(name, error)
        throw error
      }
    }
  }
  const { transition, getInitialSnapshot } = machine
  Object.assign(machine, {
    transition: telling(transition.bind(machine)),
    getInitialSnapshot: telling(getInitialSnapshot.bind(machine)),
  })
}

function modelled(plan: WorldPlan, definition: Definition, perform: Perform): AnyStateMachine {
  const { machine, name } = definition
  const invoked = new Set(nodesOf(machine.root).flatMap(({ invoke }) => invoke.map(({ src }) => src)))
  for (const src of invoked) if (typeof src === 'string') modelOf(plan, name, src)
  const actors = Object.fromEntries(
    Object.entries(machine.implementations.actors).flatMap(([src, logic]) => {
      if (logic === undefined || !isPromiseLogic(logicOf(machine, src) as never)) return []
      // Whether one that is only spawned is ever asked for shows when it is.
      const ways = (): readonly EffectModel[] => modelOf(plan, name, src)
      const model = effect((args) => perform({ definition: name, name: src, ways, args }))
      return [[src, model]]
    }),
  )
  const copy = machine.provide({ actors })
  copy.options = machine.options
  return copy
}

/** An effect without a name of its own is known by its place: `xstate.invoke.0.saga.paying`. */
function inlineModels(plan: WorldPlan, name: string, machine: AnyStateMachine, perform: Perform): void {
  for (const node of nodesOf(machine.root)) {
    const invokes: readonly { readonly src: unknown }[] = [node.config.invoke ?? []].flat()
    if (invokes.every(({ src }) => typeof src === 'string')) continue
    const replaced = invokes.map((invoke, index) => {
      if (typeof invoke.src === 'string') return invoke
      const src = `xstate.invoke.${index}.${node.id}`
      const ways = modelOf(plan, name, src)
      return { ...invoke, src: effect((args) => perform({ definition: name, name: src, ways: () => ways, args })) }
    })
    // The node is the copy's own, its config the user's.
    node.config = { ...node.config, invoke: replaced as never }
  }
}

function modelOf(plan: WorldPlan, definition: string, src: string): readonly EffectModel[] {
  const ways = effectModels(plan, definition, src)
  if (ways !== undefined && ways.length > 0) return ways
  const what = `"${definition}" asks the outside for "${src}", and the world does not say what comes of it.`
  throw new WorldError('EFFECT_WITHOUT_MODEL', what, { name: `${definition}.${src}` })
}

function nodesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states as Record<string, AnyStateNode>).flatMap(nodesOf)]
}

/** A run's own picture of the outside. */
export function copyOf(outside: PlainObject): PlainObject {
  return JSON.parse(JSON.stringify(outside)) as PlainObject
}
