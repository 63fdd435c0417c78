// asks.ts: what a machine asks of others, what they answer, and where it may be by then.
import type { AnyStateNode } from 'xstate'
import { type Edge, remembered, type Step } from './chart.ts'
import { type Arrival, isFrom, type Member, qualified, type System } from './system.ts'

/** A message to another entity that may be answered. */
export interface Ask extends Arrival {
  /** Steps that send it. */
  readonly steps: readonly Step[]
  /** Whether the receiver depends on the message being handled: two of them may well be two entities. */
  readonly byEvent: boolean
}

/** All that a machine asks of others, as far as that shows. */
export function asksOf(member: Member, system: System): readonly Ask[] {
  const asks = remembered(known, system, () => new Map<Member, readonly Ask[]>())
  return remembered(asks, member, () => look(member, system))
}

const known = new WeakMap<System, Map<Member, readonly Ask[]>>()

function look(member: Member, system: System): readonly Ask[] {
  const asks = new Map<string, Ask & { readonly steps: Step[] }>()
  for (const step of member.chart.steps) {
    for (const output of member.outputsOf(step).filter(({ kind }) => kind === 'command' || kind === 'event')) {
      for (const { at, type } of output.types.flatMap((each) => system.arrivalsOf(output, each, member))) {
        const name = `${at.name} ${type} ${output.byEvent}`
        const ask = asks.get(name) ?? { at, type, steps: [], byEvent: output.byEvent }
        ask.steps.push(step)
        asks.set(name, ask)
      }
    }
  }
  return [...asks.values()]
}

/**
 * Where the asker may be while an answer is under way: where it asked, and wherever it can go from there without hearing
 * from the one it asked. What that one says is taken for the answer; so is what makes a guard true that it waits for.
 */
export function waitingIn({ chart }: Member, { at, steps }: Ask, follow: (edge: Edge) => boolean): Leaves {
  return chart.closure(
    steps.flatMap((step) => chart.leavesOf(step)),
    (edge, leaf) => !isFrom(edge, at.name) && !(edge.key === '' && chart.isAtRest(leaf)) && follow(edge),
  )
}

/** Leaves of a chart. */
export type Leaves = ReadonlySet<AnyStateNode>

/** Replies and events that a message brings about, as the asker sees them, later ones by timers and effects included. */
export function answersTo({ at, type }: Arrival, asker: Member): readonly Answer[] {
  const followed = new Map(
    asker.definition.follows
      .filter(({ isStart }) => !isStart)
      .map((each) => [qualified(each), each.correlation.by] as const),
  )
  const motion = remembered(motions, at, () => new Map<string, readonly Step[]>())
  const steps = motion.get(type) ?? setInMotion(at, type)
  motion.set(type, steps)
  const outputs = steps.flatMap((step) => at.outputsOf(step))
  return outputs.flatMap(({ kind, types }) =>
    types
      .map((each) => `${at.name}.${each}`)
      .flatMap((each): readonly Answer[] => {
        if (kind === 'reply') return [{ kind, type: each, isSurelyMeant: true }]
        const by = kind === 'event' ? followed.get(each) : undefined
        return by === undefined ? [] : [{ kind: 'event', type: each, isSurelyMeant: by === 'source' }]
      }),
  )
}

/** What comes back. */
export interface Answer {
  readonly kind: 'reply' | 'event'
  readonly type: string
  /** An event that finds its entity by a property may be for another than the asker. */
  readonly isSurelyMeant: boolean
}

/** Where an entity may be after it handled a message: at once, or at any time, whoever may have spoken to it since. */
export function leavesAfter(member: Member, type: string, when: 'at once' | 'later'): Leaves {
  const { chart } = member
  return chart.closure(
    member.stepsOn(type).flatMap((step) => chart.leavesOf(step)),
    ({ key }) => when === 'later' || key === '',
  )
}

/** What messages set in motion, by their type. */
const motions = new WeakMap<Member, Map<string, readonly Step[]>>()

/** The steps of handling a message, and those that follow from them by themselves. */
function setInMotion(member: Member, type: string): readonly Step[] {
  const { definition, chart } = member
  const isBirth =
    Object.hasOwn(definition.contract.commands, type) ||
    definition.follows.some((each) => each.isStart && qualified(each) === type)
  const steps = new Set([...(isBirth ? [chart.birth] : []), ...member.stepsOn(type)])
  for (const step of steps) {
    const ways = [...step.entered.flatMap((node) => chart.edges(node)).filter(isByItself), ...eventless(member, step)]
    for (const edge of ways) steps.add(chart.step(edge))
    const toItself = member.outputsOf(step).filter(({ kind }) => kind === 'raised' || kind === 'internal')
    for (const next of toItself.flatMap(({ types }) => types).flatMap((each) => member.stepsOn(each))) steps.add(next)
  }
  return [...steps]
}

function eventless({ chart }: Member, step: Step): readonly Edge[] {
  return chart.leavesOf(step).flatMap((leaf) => chart.waysOut(leaf).filter(({ key }) => key === ''))
}

/** Timers, results of effects, ends of states. */
const isByItself = ({ key }: Edge): boolean => key.startsWith('xstate.')
