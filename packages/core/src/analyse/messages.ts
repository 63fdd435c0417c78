// messages.ts: messages that are sent to nobody, that nobody takes, and keys that wait for none.

import type { Contract } from '../contract.ts'
import { matches } from '../descriptor.ts'
import { type Finding, finding } from '../finding.ts'
import { labelOf } from './chart.ts'
import type { Output } from './outputs.ts'
import { type Member, qualified, type System } from './system.ts'

/** Every message whose type shows must be in its contract, and every command's contract in `sends`. */
export function checkOutputs(member: Member, system: System): readonly Finding[] {
  return member.chart.steps
    .flatMap((step) => member.outputsOf(step))
    .flatMap((output) => checkOutput(output, member, system))
}

function checkOutput({ kind, contract: name, types }: Output, member: Member, system: System): Finding[] {
  if (kind === 'internal' || kind === 'raised') return []
  const listed = [member.definition.contract, ...member.definition.sends].find((each) => each.name === name)
  if (listed === undefined) {
    const verb = kind === 'reply' ? 'gives a reply of' : 'sends to'
    const remedy =
      kind === 'reply' ? 'Reply with the own contract.' : 'List the contract in `sends`: the turn that sends fails.'
    return [finding('command-not-listed', `${member.name} ${verb} ${name}`, remedy)]
  }
  const known = system.member(name)?.definition.contract ?? listed
  const section = sectionOf(known, kind)
  return types
    .filter((type) => !Object.hasOwn(section, type))
    .map((type) => {
      const remedy = `Add it to the ${kind === 'reply' ? 'replie' : kind}s of the contract, or correct its name: the turn that sends it fails.`
      return finding('message-unknown', `${member.name} sends ${name}.${type}`, remedy)
    })
}

function sectionOf(of: Pick<Contract, 'commands' | 'events' | 'replies'>, kind: 'command' | 'event' | 'reply'): object {
  switch (kind) {
    case 'command':
      return of.commands
    case 'event':
      return of.events
    case 'reply':
      return of.replies
  }
}

/** Events of its contract that no definition follows. */
export function checkPublished({ name, definition }: Member, system: System): readonly Finding[] {
  return Object.keys(definition.contract.events)
    .filter((event) => system.followersOf(`${name}.${event}`).length === 0)
    .map((event) =>
      finding(
        'event-without-follower',
        `${name}.${event}`,
        'Follow it, or drop it from the contract. If it is for others outside this system, accept it.',
      ),
    )
}

/** Events that it follows and that neither start it nor find a transition anywhere. */
export function checkFollowed(member: Member): readonly Finding[] {
  const { name, definition, chart } = member
  return definition.follows
    .filter(({ isStart }) => !isStart)
    .map(qualified)
    .filter((type) => !member.drops(type) && !chart.nodes.some((node) => takesItself(node, type)))
    .map((type) =>
      finding(
        'event-without-transition',
        `${name} follows ${type}`,
        'Handle it in some state, list it in `ignores`, or do not follow it.',
      ),
    )
}

const takesItself = ({ transitions }: Member['chart']['nodes'][number], type: string): boolean =>
  [...transitions.keys()].some((key) => matches(key, type))

/** Keys of `on` that no message ever matches. */
export function checkKeys(member: Member, system: System): readonly Finding[] {
  const { name, chart } = member
  const { types, isWhole } = arrivingTypes(member, system)
  const partners = new Set(system.members.map((each) => each.name))
  return chart.nodes.flatMap((node) =>
    [...node.transitions.keys()]
      .filter((key) => !key.startsWith('xstate.') && !types.some((type) => matches(key, type)))
      // Where a raised type can't be told it could be any; but who would raise another entity's message?
      .filter((key) => isWhole || partners.has(key.split('.')[0] ?? ''))
      .map((key) =>
        finding(
          'key-without-message',
          `${name} in ${labelOf(node)}: ${key}`,
          'Correct the name, follow the event, or list in `sends` the contract that it is a reply of.',
        ),
      ),
  )
}

/** Types of messages that can come. `isWhole`: there are no others. */
function arrivingTypes(
  member: Member,
  system: System,
): { readonly types: readonly string[]; readonly isWhole: boolean } {
  const { definition, chart } = member
  const toItself = chart.nodes
    .flatMap((node) => [
      ...node.entry,
      ...node.exit,
      ...(node.type === 'compound' ? node.initial.actions : []),
      ...chart.edges(node).flatMap(({ actions }) => actions),
    ])
    .map((action) => member.read(action))
    .filter((output) => output === 'opaque' || output?.kind === 'raised' || output?.kind === 'internal')
  return {
    types: [
      ...Object.keys(definition.contract.commands),
      ...definition.follows.map(qualified),
      ...answerers(member, system).flatMap(({ name: from, replies }) =>
        [...Object.keys(replies), 'rejected'].map((reply) => `${from}.${reply}`),
      ),
      ...toItself.flatMap((output) => (output === undefined || output === 'opaque' ? [] : output.types)),
    ],
    isWhole: toItself.every((output) => output !== 'opaque' && output?.types.length !== 0),
  }
}

/** Contracts whose entities may answer: those that it sends to, its own, and those of followers of its events. */
function answerers({ definition, name }: Member, system: System): readonly Pick<Contract, 'name' | 'replies'>[] {
  const events = Object.keys(definition.contract.events).map((event) => `${name}.${event}`)
  const followers = events.flatMap((event) => system.followersOf(event)).map((each) => each.definition.contract)
  return [definition.contract, ...definition.sends, ...followers]
}
