// system.ts: the smallest system in which one definition can be decided: the contracts around it have stand-ins that
// take everything, and an observer follows whatever it publishes.
import {
  type AnyContract,
  type Contract,
  contract,
  type Definition,
  defineAggregate,
  defineSaga,
  type FollowedEvent,
  follow,
  Wiring,
} from '@interstate/core'
import { type AnyStateMachine, createMachine } from 'xstate'
import type { Coverage } from '../coverage.ts'
import { observed } from '../observe/observe.ts'
import { specInvalid } from './failure.ts'

/** See the file head. */
export interface System {
  readonly wiring: Wiring
  /** Refuses what no turn may do: the clock, chance, the network. */
  readonly definition: Definition
  /** The entity type of the observer. */
  readonly observer: string
  readonly coverage: SpecCoverage | undefined
}

/** What is told of every turn: a coverage. */
export type SpecCoverage = Pick<Coverage, 'entities' | 'turn'>

const known = new WeakMap<Definition, System>()

/**
 * @throws InterstateError `WIRING_INVALID` when the definition would not fit into any system.
 * @throws WorldError `SPEC_INVALID` for a coverage of other machines.
 */
export function systemAround(bare: Definition, coverage?: SpecCoverage): System {
  const key = coverage === undefined ? bare : measured(bare, coverage)
  const system = known.get(key) ?? build(coverage === undefined ? observed(bare) : key, coverage)
  known.set(key, system)
  return system
}

/** A coverage has copies of its own, which tell it what they do. */
function measured({ name, structure }: Definition, { entities }: SpecCoverage): Definition {
  const found = entities.find((each) => each.name === name)
  if (found?.structure === structure) return found
  throw specInvalid(`The coverage is not of this "${name}": make it of the definitions that specs are about.`)
}

function build(definition: Definition, coverage: SpecCoverage | undefined): System {
  const neighbours = neighboursOf(definition)
  const names = new Set([definition.name, ...neighbours.map(({ name }) => name)])
  let observer = 'observer'
  while (names.has(observer)) observer += 's'
  const standIns = neighbours.map((each) => defineAggregate(each, takesAll()))
  const wiring = new Wiring([definition, ...standIns, ...observerOf(definition.contract, observer)])
  return { wiring, definition, observer, coverage }
}

/** Contracts that the definition follows or sends to, each once. */
export function neighboursOf(definition: Definition): readonly Contract[] {
  const all: AnyContract[] = [...definition.follows.map((each) => each.contract), ...definition.sends]
  return [...new Set(all)].filter(({ name }) => name !== definition.name) as unknown as readonly Contract[]
}

/** Every event goes to the observer of the same key, once. */
function observerOf(of: Contract, name: string): readonly Definition[] {
  const events = Object.keys(of.events).map((event) => of.event(event).bySource().starts() as AnyStart)
  return events.length === 0 ? [] : [defineSaga(contract(name, {}), follow(...events) as never, takesAll() as never)]
}

type AnyStart = FollowedEvent<string, string, never, true>

function takesAll(): AnyStateMachine {
  return createMachine({ on: { '*': {} } })
}
