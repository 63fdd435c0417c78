// tell.ts: a failure on one screen: what was found, the story in words and as a diagram, what changed, how to run it again.
import type { FindingCode } from './catalogue.ts'
import { diagram } from './diagram.ts'
import type { Change, Look, Story, StoryStep } from './story.ts'

/** What is told. */
export interface Failure {
  readonly code: FindingCode
  readonly what: string
  readonly remedy: string
  readonly story: Story | undefined
  readonly token: string | undefined
  /** By which it is accepted. */
  readonly finding: string
}

/** Longer stories are told by their ends. */
const mostSteps = 24
const mostChanges = 10
const lineLength = 118

/** Findings that a system may mean to have. */
const acceptable: ReadonlySet<FindingCode> = new Set([
  'MESSAGES_LOOP',
  'MESSAGE_UNHANDLED',
  'SAGA_STUCK',
  'STATE_UNREACHED',
  'TURN_FAILED',
])

/** See the file head. */
export function tell({ code, what, remedy, story, token, finding }: Failure): string {
  const isAtOnce = story !== undefined && story.steps.length === 0
  const parts = [`${what} ${isAtOnce ? 'It is so at the beginning, before anything happens.' : remedy} [${code}]`]
  if (story !== undefined && story.steps.length > 0) {
    parts.push(middleOut(story.steps.map(sentence), mostSteps).join('\n'))
    const changes = changesOf(story)
    if (changes.length > 0) parts.push(['What changed (* in the last step):', ...changes].join('\n'))
    parts.push(['```mermaid', diagram(story.steps), '```'].join('\n'))
  }
  if (token !== undefined) {
    parts.push(['Keep it as a test:', `  test('regression', () => world.replay('${token}'))`].join('\n'))
  }
  if (acceptable.has(code)) parts.push(`If it is meant to be so: world.accept('${finding}')`)
  return parts.join('\n\n')
}

/** One step in words: `3. account/A -> transfer/1 account.Declined {…}: debiting -> failed (why)`. */
export function sentence({ from, to, what, data, outcome, note }: StoryStep, index: number): string {
  const number = `${String(index + 1).padStart(3)}. `
  const became = outcome === undefined ? '' : `: ${outcome}`
  const because = note === undefined ? '' : ` (${note})`
  const head = from === to ? `${number}${to} ${what}` : `${number}${from} -> ${to} ${what}`
  const room = lineLength - head.length - became.length - because.length - 1
  return `${head}${payload(data, room)}${became}${because}`
}

function payload(data: StoryStep['data'], room: number): string {
  if (data === undefined || data === null || Object.keys(data).length === 0 || room < 5) return ''
  const text = JSON.stringify(data)
  return ` ${text.length <= room ? text : `${text.slice(0, room - 2)}…}`}`
}

/** What the last step changed comes first; of the rest as much as there is room for. */
function changesOf({ changes }: Story): readonly string[] {
  const lines = changes.flatMap(changeLines)
  const isLast = (line: string): boolean => line.startsWith('*')
  const sorted = [...lines.filter(isLast), ...lines.filter((line) => !isLast(line))]
  if (sorted.length <= mostChanges) return sorted
  return [...sorted.slice(0, mostChanges), `  … ${sorted.length - mostChanges} more …`]
}

function changeLines(change: Change): readonly string[] {
  const before = flat(change.before)
  const previous = 'previous' in change ? flat(change.previous) : before
  const after = flat(change.after)
  return [...new Set([...before.keys(), ...previous.keys(), ...after.keys()])].flatMap((path) => {
    const [one, two, three] = [before.get(path), previous.get(path), after.get(path)]
    if (one === three && two === three) return []
    // What went to and fro looks the same as before the story; then only the last step tells.
    const from = one === three ? two : one
    return [`${two === three ? ' ' : '*'} ${change.entity} ${path}: ${short(from)} -> ${short(three)}`]
  })
}

/** The leaves of what an entity looks like, by their path. */
function flat(look: Look | undefined): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>()
  const walk = (path: string, value: unknown): void => {
    const isBranch = typeof value === 'object' && value !== null && Object.keys(value).length > 0
    if (!isBranch) leaves.set(path, JSON.stringify(value) ?? 'undefined')
    else for (const [key, item] of Object.entries(value)) walk(`${path}.${key}`, item)
  }
  if (look === undefined) return leaves
  if (look.value !== undefined) leaves.set('state', JSON.stringify(look.value))
  for (const [key, item] of Object.entries(look.context ?? {})) walk(key, item)
  return leaves
}

function short(text = '-'): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`
}

function middleOut(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines
  const half = most / 2
  return [...lines.slice(0, half), `  … ${lines.length - most} more …`, ...lines.slice(-half)]
}
