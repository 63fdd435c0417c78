// unanswered.ts: answers that may arrive where nothing takes them.
import type { AnyStateNode } from 'xstate'
import { type Finding, finding } from '../finding.ts'
import { type Ask, answersTo, asksOf, type Leaves, leavesAfter, waitingIn } from './asks.ts'
import { isEnd, labelOf, type Step } from './chart.ts'
import { isFrom, type Member, type System } from './system.ts'

/** Replies, events that a command brings about, and refusals, each in every state in which it may arrive. */
export function checkUnanswered(member: Member, system: System): readonly Finding[] {
  const asks = asksOf(member, system).filter(({ at }) => at !== member)
  return asks.flatMap((ask) => [...checkAnswers(member, ask), ...checkRefusals(member, ask, asks)])
}

function checkAnswers(member: Member, ask: Ask): readonly Finding[] {
  const waiting = waitingIn(member, ask, () => true)
  // Whoever sends a further message on the way to its end has thought of the first one: they are handled in that order.
  const resigned = waitingIn(member, ask, (edge) => !speaksTo(member, member.chart.step(edge), ask.at))
  const leaves = [...waiting].filter((leaf) => !isEnd(leaf) || resigned.has(leaf))
  return answersTo(ask, member)
    .filter(({ type, isSurelyMeant }) => isSurelyMeant || isAwaited(member, ask, type))
    .flatMap(({ kind, type }) =>
      deafLeaves(member, leaves, type).map((leaf) =>
        finding(
          kind === 'reply' ? 'reply-unhandled' : 'event-unhandled',
          `${member.name} in ${labelOf(leaf)}: ${type}`,
          `It may come of ${ask.type} that was sent before. Handle it in this state, or list it in \`ignores\`.`,
        ),
      ),
    )
}

function speaksTo(member: Member, step: Step, to: Member): boolean {
  return member.outputsOf(step).some(({ kind, contract }) => kind === 'command' && contract === to.name)
}

/** Whether the asker takes it where it asks. */
function isAwaited({ chart }: Member, { steps }: Ask, type: string): boolean {
  return steps.flatMap((step) => chart.leavesOf(step)).some((leaf) => chart.takes(leaf, type))
}

/**
 * A command is refused where the receiver is in a state that does not take it. That can't be told of a receiver whom
 * others command as well. It can where the sender itself has asked before and gone on without waiting for the answer:
 * then its two commands are in a race, and the second may find what the first has left.
 */
function checkRefusals(member: Member, first: Ask, asks: readonly Ask[]): readonly Finding[] {
  if (first.byEvent || !Object.hasOwn(first.at.definition.contract.commands, first.type)) return []
  const waiting = waitingIn(member, first, () => true)
  const type = `${first.at.name}.rejected`
  return asks
    .filter((second) => second.at === first.at && !second.byEvent && refuses(first.at, first.type, second.type))
    .flatMap((second) => {
      const steps = second.steps.filter((step) => goesOn(member, step, first, waiting))
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

function goesOn({ chart }: Member, { edge, entered }: Step, { at }: Ask, waiting: Leaves): boolean {
  if (edge === undefined || entered.length === 0 || isFrom(edge, at.name)) return false
  return [...waiting].some((leaf) => chart.waysOut(leaf).includes(edge))
}

/** Whether a command may be refused by an entity that has handled another. Of a repeated one only what it did itself counts. */
function refuses(receiver: Member, first: string, second: string): boolean {
  if (receiver.definition.unhandled !== 'reject' || receiver.drops(second)) return false
  const { chart } = receiver
  const leaves = leavesAfter(receiver, first, first === second ? 'at once' : 'later')
  return [...leaves].some((leaf) => chart.isAtRest(leaf) && !chart.takes(leaf, second))
}

function deafLeaves(member: Member, leaves: Iterable<AnyStateNode>, type: string): readonly AnyStateNode[] {
  if (member.drops(type)) return []
  const { chart } = member
  return [...leaves].filter((leaf) => chart.isAtRest(leaf) && !chart.takes(leaf, type))
}
