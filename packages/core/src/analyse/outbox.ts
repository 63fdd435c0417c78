// outbox.ts: the largest number of messages that one step puts out, held against what a store takes.
import type { AnyStateNode } from 'xstate'
import { type Finding, finding } from '../finding.ts'
import type { StoreLimits } from '../ports/store.ts'
import { childrenOf, type Edge, type Step } from './chart.ts'
import type { Output } from './outputs.ts'
import { isTakenBy, type Member, type System } from './system.ts'

/**
 * Counts what shows of one turn: exits, the way itself, entries, eventless ways after it, in all regions at once. An event
 * counts once for each follower. What `enqueueActions` puts out, and what follows from raised events, is not counted.
 */
export function checkOutbox(
  member: Member,
  system: System,
  { maxOutbox }: Pick<StoreLimits, 'maxOutbox'>,
): readonly Finding[] {
  const counter = new Counter(member, system)
  const born = counter.of(member.chart.birth)
  const keys = new Set(member.chart.steps.map(({ edge }) => edge?.key ?? ''))
  keys.delete('')
  const most = [...keys].map((key): readonly [string, number] => {
    // A first message brings the entity to life and is handled in the same turn.
    const first = born + counter.most(key, new Set(member.chart.birth.entered))
    return [`on ${key}`, Math.max(counter.most(key, member.chart.reached), key.startsWith('xstate.') ? 0 : first)]
  })
  return [['at its birth', born] as const, ...most]
    .filter(([, count]) => count > maxOutbox)
    .map(([when, count]) =>
      finding(
        'outbox-too-small',
        `${member.name} ${when}`,
        `One turn may send ${count} messages, and the store takes ${maxOutbox}: spread them over several turns.`,
      ),
    )
}

class Counter {
  readonly #member: Member
  readonly #system: System
  readonly #eventless = new Map<Edge, number>()

  constructor(member: Member, system: System) {
    this.#member = member
    this.#system = system
  }

  /** Messages of a step and of the eventless ways after it. */
  of(step: Step): number {
    const { chart } = this.#member
    const own = this.#member.outputsOf(step).reduce((sum, output) => sum + this.#weigh(output), 0)
    const after = chart.leavesOf(step).map((leaf) => {
      const ways = chart.waysOut(leaf).filter(({ key }) => key === '')
      return Math.max(0, ...ways.map((edge) => this.#after(edge)))
    })
    // All leaves that are entered are active together; of those in which a way may stay, one is or several are.
    return own + (step.entered.length > 0 ? after.reduce((sum, count) => sum + count, 0) : Math.max(0, ...after))
  }

  /** The most that a message of this type brings about: the largest way of each state, all regions together. */
  most(type: string, active: ReadonlySet<AnyStateNode>): number {
    return this.#mostOf(this.#member.definition.machine.root, type, active)
  }

  #mostOf(node: AnyStateNode, type: string, active: ReadonlySet<AnyStateNode>): number {
    if (!active.has(node)) return 0
    const { chart } = this.#member
    const own = chart.edges(node).filter((edge) => isTakenBy(edge, type))
    const inside = childrenOf(node).map((child) => this.#mostOf(child, type, active))
    return Math.max(
      ...own.map((edge) => this.of(chart.step(edge))),
      node.type === 'parallel' ? inside.reduce((sum, count) => sum + count, 0) : Math.max(0, ...inside),
    )
  }

  /** An eventless way counts once: a loop of them never settles. */
  #after(edge: Edge): number {
    const known = this.#eventless.get(edge)
    if (known !== undefined) return known
    this.#eventless.set(edge, 0)
    const count = this.of(this.#member.chart.step(edge))
    this.#eventless.set(edge, count)
    return count
  }

  #weigh(output: Output): number {
    if (output.delayed) return 0
    switch (output.kind) {
      case 'event': {
        const reached = output.types.map((type) => this.#system.followersOf(`${this.#member.name}.${type}`).length)
        return Math.max(0, ...reached)
      }
      case 'raised':
        return 0
      default:
        return 1
    }
  }
}
