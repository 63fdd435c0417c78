// difference.ts: in what two decisions of one turn differ. Their stored forms must be equal to the byte, so the order of
// properties counts; they are compared as values because this runs for each step of a search.
import type { Decision, EntityState } from '@interstate/core'

/** Where two decisions differ: `its context.total is 3, then 4`; `undefined` where they agree. */
export function differenceIn(one: Decision, two: Decision): string | undefined {
  const found = firstDifference('', shown(one), shown(two))
  return found === undefined ? undefined : `its ${found.path.slice(1)} is ${text(found.one)}, then ${text(found.two)}`
}

/** What of a decision is stored, sent, or done after it. */
function shown({ outcome, state, outbox, replies, started, stopped, actions, refusal }: Decision) {
  return { ...stored(state), outbox, replies, started, stopped, refusal, outcome, 'number of actions': actions.length }
}

function stored(state: EntityState | undefined) {
  if (state === undefined) return undefined
  const { snapshot, timers, running, armed, sequence, now } = state
  const { value, context, status, output, historyValue, _nodes } = snapshot
  const history = Object.entries(historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)])
  const entered = _nodes.map((node) => node.order)
  return { context, state: value, status, output, history, entered, timers, running, armed, sequence, now }
}

interface Found {
  readonly path: string
  readonly one: unknown
  readonly two: unknown
}

function firstDifference(path: string, one: unknown, two: unknown): Found | undefined {
  if (Object.is(one, two)) return undefined
  const isPair = typeof one === 'object' && typeof two === 'object' && one !== null && two !== null
  if (!isPair || Array.isArray(one) !== Array.isArray(two)) return { path, one, two }
  const keys = Object.keys(one)
  const others = Object.keys(two)
  for (const key of keys) {
    if (!Object.hasOwn(two, key)) return { path: `${path}.${key}`, one: (one as Parts)[key], two: undefined }
    const found = firstDifference(`${path}.${key}`, (one as Parts)[key], (two as Parts)[key])
    if (found !== undefined) return found
  }
  const more = others.find((key) => !Object.hasOwn(one, key))
  if (more !== undefined) return { path: `${path}.${more}`, one: undefined, two: (two as Parts)[more] }
  const isSameOrder = keys.every((key, index) => key === others[index])
  return isSameOrder ? undefined : { path: `${path} (order of properties)`, one: keys, two: others }
}

type Parts = Readonly<Record<string, unknown>>

const longest = 60

function text(value: unknown): string {
  const json = value === undefined ? 'absent' : (JSON.stringify(value) ?? String(value))
  return json.length > longest ? `${json.slice(0, longest)}…` : json
}
