// unanswered.ts: answers that may arrive where nothing takes them.
import type { AnyStateNode } from 'xstate'
import { type Finding, finding } from '../finding.ts'
import { type Ask, answersTo, asksOf, leavesAfter, waitingIn } from './asks.ts'
import { labelOf, type Step } from './chart.ts'
import { isFrom, type Member, type System } from './system.ts'

/** Replies, events that a command brings about, and refusals, each in every state in which it may arrive. */
export function checkUnanswered(member: Member, system: System): readonly Finding[] {
  const asks = asksOf(member, system).filter(({ at }) => at !== member)
  return asks.flatMap((ask) => {
    const waiting = waitingIn(member, ask)
    return [...checkAnswers(member, ask, waiting), ...checkRefusals(member, ask, waiting, asks)]
  })
}

function checkAnswers(member: Member, ask: Ask, waiting: ReadonlySet<AnyStateNode>): readonly Finding[] {
  return answersTo(ask, member).flatMap(({ kind, type }) =>
    deafLeaves(member, waiting, type).map((leaf) =>
      finding(
        kind === 'reply' ? 'reply-unhandled' : 'event-unhandled',
        `${member.name} in ${labelOf(leaf)}: ${type}`,
        `It may come of ${ask.type} that was sent before. Handle it in this state, or list it in \`ignores\`.`,
      ),
    ),
  )
}

/**
 * A command is refused where the receiver is in a state that does not take it. That can't be told of a receiver whom
 * others command as well. It can where the sender itself has asked before and not waited for the answer: then the two
 * commands are in a race, and the second may find what the first has left.
 */
function checkRefusals(
  member: Member,
  first: Ask,
  waiting: ReadonlySet<AnyStateNode>,
  asks: readonly Ask[],
): readonly Finding[] {
  if (!(first.type in first.at.definition.contract.commands)) return []
  const type = `${first.at.name}.rejected`
  return asks
    .filter((second) => second.at === first.at && refuses(first.at, first.type, second.type))
    .flatMap((second) => {
      const steps = second.steps.filter((step) => isWithoutWaiting(member, step, first, waiting))
      const settled = member.chart.closure(
        steps.flatMap((step) => member.chart.leavesOf(step)),
        ({ key }) => key === '',
      )
      return deafLeaves(member, settled, type).map((leaf) =>
        finding(
          'refusal-unhandled',
          `${member.name} in ${labelOf(leaf)}: ${type}`,
          `${second.type} may come when ${first.type}, sent before, has led to where it is refused. Handle the refusal, or list it in \`ignores\`.`,
        ),
      )
    })
}

function isWithoutWaiting({ chart }: Member, { edge }: Step, { at }: Ask, waiting: ReadonlySet<AnyStateNode>): boolean {
  return edge !== undefined && !isFrom(edge, at.name) && [...waiting].some((leaf) => chart.waysOut(leaf).includes(edge))
}

/** Whether a command may be refused by an entity that has handled another. */
function refuses(receiver: Member, first: string, second: string): boolean {
  if (receiver.definition.unhandled !== 'reject' || receiver.drops(second)) return false
  const { chart } = receiver
  return [...leavesAfter(receiver, first)].some((leaf) => chart.isAtRest(leaf) && !chart.takes(leaf, second))
}

function deafLeaves(member: Member, leaves: Iterable<AnyStateNode>, type: string): readonly AnyStateNode[] {
  if (member.drops(type)) return []
  const { chart } = member
  return [...leaves].filter((leaf) => chart.isAtRest(leaf) && !chart.takes(leaf, type))
}
