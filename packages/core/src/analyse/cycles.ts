// cycles.ts: messages that go round by themselves.
import type { AnyStateNode } from 'xstate'
import { type Finding, finding } from '../finding.ts'
import { asksOf } from './asks.ts'
import { around, type Edge } from './chart.ts'
import type { Output } from './outputs.ts'
import { type Arrival, isTakenBy, type Member, qualified, type System } from './system.ts'

/**
 * Messages that go round without a guard, a timer, an effect or anybody outside: each of them, wherever its receiver
 * goes on taking it, sends the next one. One round is named of those that hang together.
 */
export function checkCycles(system: System): readonly Finding[] {
  const links = linksOf(system)
  const told = new Set<string>()
  return [...links.keys()].sort().flatMap((start) => {
    const round = told.has(start) ? undefined : shortestRound(start, links)
    if (round === undefined) return []
    for (const each of round) told.add(each)
    return [
      finding(
        'message-cycle',
        [...round, start].join(' -> '),
        'Nothing outside is needed to keep them going. Let one of the machines stop, or wait for a timer.',
      ),
    ]
  })
}

type Links = ReadonlyMap<string, readonly string[]>

function linksOf(system: System): Links {
  const askers = askersOf(system)
  const links = new Map<string, readonly string[]>()
  for (const at of system.members) {
    for (const type of typesOf(at)) {
      const name = nameOf({ at, type })
      const next = alwaysSent(at, type).flatMap((output) => arrivalsOf(output, at, system, askers.get(name) ?? []))
      links.set(name, next.map(nameOf))
    }
  }
  return links
}

const nameOf = ({ at, type }: Arrival): string => `${at.name} on ${type}`

/** Types that an entity's machine has keys for, as they are. */
function typesOf({ chart, definition }: Member): readonly string[] {
  const keys = chart.nodes.flatMap((node) => [...node.transitions.keys()])
  const sent = [...Object.keys(definition.contract.commands), ...definition.follows.map(qualified)]
  return [...new Set([...sent, ...keys.filter((key) => !key.startsWith('xstate.') && !key.endsWith('*'))])]
}

function askersOf(system: System): ReadonlyMap<string, readonly Member[]> {
  const askers = new Map<string, readonly Member[]>()
  for (const member of system.members) {
    for (const ask of asksOf(member, system)) askers.set(nameOf(ask), [...(askers.get(nameOf(ask)) ?? []), member])
  }
  return askers
}

function arrivalsOf(output: Output, at: Member, system: System, askers: readonly Member[]): readonly Arrival[] {
  const type = output.types[0] ?? ''
  if (output.kind === 'reply') return askers.map((asker) => ({ at: asker, type: `${at.name}.${type}` }))
  return system.arrivalsOf(output, type, at)
}

/** What comes of a message in all leaves in which its receiver stays however often it comes. */
function alwaysSent(member: Member, type: string): readonly Output[] {
  const { chart } = member
  const reactions = new Map<AnyStateNode, Reaction>()
  for (const leaf of chart.closure(chart.leavesOf(chart.birth), () => true)) {
    const reaction = reactionOf(member, leaf, type)
    if (reaction !== undefined) reactions.set(leaf, reaction)
  }
  const outputs = [...reactions.values()].flatMap((reaction) => reaction.outputs)
  const sent = new Map(outputs.filter(isCertain).map((output) => [signature(output), output]))
  return [...sent].filter(([name]) => goesOn(reactions, name)).map(([, output]) => output)
}

interface Reaction {
  readonly outputs: readonly Output[]
  readonly leaves: readonly AnyStateNode[]
}

const signature = ({ kind, contract, types }: Output): string => `${kind} ${contract} ${types[0]}`
const isCertain = ({ types }: Output): boolean => types.length === 1

/** Whether some leaves send it and lead to none but such. */
function goesOn(reactions: ReadonlyMap<AnyStateNode, Reaction>, name: string): boolean {
  const sending = [...reactions].filter(([, { outputs }]) => outputs.some((each) => signature(each) === name))
  const leaves = new Map(sending.map(([leaf, reaction]) => [leaf, reaction.leaves]))
  for (let before = -1; before !== leaves.size; ) {
    before = leaves.size
    for (const [leaf, next] of leaves) if (!next.every((each) => leaves.has(each))) leaves.delete(leaf)
  }
  return leaves.size > 0
}

/** What a message does in a leaf, where no guard has a say in it. */
function reactionOf(member: Member, leaf: AnyStateNode, type: string): Reaction | undefined {
  const edge = only(member, leaf, (each) => isTakenBy(each, type))
  if (edge === undefined) return undefined
  const outputs = [...member.outputsOf(member.chart.step(edge))]
  const leaves: AnyStateNode[] = []
  const ahead = [...member.chart.leavesAfter(leaf, edge)]
  // Bounded: an eventless loop never settles, and is no matter of messages.
  for (let steps = 0; steps < 100; steps += 1) {
    const next = ahead.pop()
    if (next === undefined) break
    const eventless = only(member, next, ({ key }) => key === '')
    if (eventless === undefined) leaves.push(next)
    else {
      outputs.push(...member.outputsOf(member.chart.step(eventless)))
      ahead.push(...member.chart.leavesAfter(next, eventless))
    }
  }
  return { outputs, leaves }
}

/** The way that XState takes first, unless a guard may stop it. */
function only({ chart }: Member, leaf: AnyStateNode, isMeant: (edge: Edge) => boolean): Edge | undefined {
  const ways = chart.waysOut(leaf).filter(isMeant)
  const innermost = around(leaf).find((node) => ways.some(({ source }) => source === node))
  // An exact key goes before `name.*`, and that before `*`; sorting keeps the order of one key's candidates.
  const [first] = ways.filter(({ source }) => source === innermost).sort((one, two) => breadth(one) - breadth(two))
  return first === undefined || first.guarded ? undefined : first
}

const breadth = ({ key }: Edge): number => (key.endsWith('*') ? 1_000 - key.length : 0)

function shortestRound(start: string, links: Links): readonly string[] | undefined {
  const paths: (readonly string[])[] = [[start]]
  const seen = new Set<string>()
  for (const path of paths) {
    for (const next of links.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path
      if (seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return undefined
}
