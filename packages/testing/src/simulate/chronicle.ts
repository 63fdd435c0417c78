// chronicle.ts: tells a run as a story while it happens: turns in the order of their commits, and what went wrong between.
import type { EntityId, Envelope, MessageId, PlainObject } from '@interstate/core'
import type { Signal } from '@interstate/runtime'
import type { Change, Look, Story, StoryStep } from '../failure/story.ts'
import { stateName, timerName } from '../words.ts'
import type { EntityView } from '../world/view.ts'
import type { Durable, Written } from './durable.ts'
import type { Process } from './process.ts'
import { enoughOf } from './rounds.ts'
import type { CallAction } from './run-plan.ts'

type TurnSignal = Extract<Signal, { signal: 'turn' }>
type MutableStep = { -readonly [K in keyof StoryStep]: StoryStep[K] }

/** What a process has written and not told of. */
interface Untold {
  readonly written: Written
  /** The latest step of each entity: at it stands what the whole write made of it. */
  readonly steps: Map<EntityId, MutableStep>
}

/** An effect, by its key. */
interface KnownEffect {
  readonly entity: EntityId
  readonly process: Process
  name: string
  acted: number
}

/** A chain of messages that began with a call says by this which one. */
export function correlationOf({ number }: Pick<CallAction, 'number'>): MessageId {
  return `call ${number}` as MessageId
}

/** See the file head. */
export class Chronicle {
  readonly #durable: Durable
  readonly #calls: ReadonlyMap<MessageId, CallAction>
  /** Each with the place in the history at which it was told. */
  readonly #steps: { readonly at: number; readonly step: StoryStep }[] = []
  readonly #history: { readonly events: readonly unknown[] }
  readonly #untold = new Map<Process, Untold[]>()
  /** Whose turn handled a message. */
  readonly #handled = new Map<MessageId, EntityId>()
  /** Which process has put a message into an inbox. */
  readonly #stored = new Map<MessageId, Process>()
  readonly #effects = new Map<string, KnownEffect>()
  /** What each write, and each effect, has changed. */
  #changes: { readonly at: number; readonly changes: readonly Change[] }[] = []
  #silent = true

  constructor(durable: Durable, calls: readonly CallAction[], history: { readonly events: readonly unknown[] }) {
    this.#history = history
    this.#durable = durable
    this.#calls = new Map(calls.map((call) => [correlationOf(call), call]))
  }

  /** From here on the story is told: the set-up is over. */
  begin(): void {
    this.#silent = false
    this.#changes = []
  }

  /** @param end - Place in the history after which nothing is told any more. */
  story(end: number = Number.POSITIVE_INFINITY): Story {
    const told = this.#steps.filter(({ at }) => at <= end)
    const enough = told.slice(0, enoughOf(told.map(({ step }) => step)))
    const last = enough.length < told.length ? (enough.at(-1)?.at ?? end) : end
    const changes = this.#changes.filter(({ at }) => at <= last).map((each) => each.changes)
    return { steps: enough.map(({ step }) => step), changes: joined(changes) }
  }

  /** Something that is no turn. */
  note(step: StoryStep): void {
    if (!this.#silent) this.#steps.push({ at: this.#history.events.length, step })
  }

  /** A process has written something, and does not know so yet. */
  written(process: Process, written: Written): void {
    for (const { id } of written.group.accepted) this.#mark(id, process)
    for (const { commit } of written.changes) for (const { id } of commit.outbox) this.#mark(id, process)
    if (written.changes.length > 0) this.#changed(written.changes.map(changeOf))
    const untold = this.#untold.get(process) ?? []
    this.#untold.set(process, untold)
    untold.push({ written, steps: new Map() })
  }

  /** A process tells of a turn. */
  turn(process: Process, signal: TurnSignal): void {
    const { entity, message, causationId, correlationId, outcome } = signal
    this.#handled.set(message, entity)
    const known = this.#durable.envelope(message)
    const call = causationId === message ? this.#calls.get(correlationId) : undefined
    const from = known?.from ?? (causationId === message ? 'client' : this.#handled.get(causationId))
    const step = this.#step(entity, message, signal.type, from ?? 'client', known?.data ?? payloadOf(call))
    step.note = this.#noteOf(process, message)
    step.outcome = outcome === 'handled' ? undefined : outcome
    this.#outcome(process, entity, step)
    this.note(step)
  }

  /** A process has heard of a write, and has told everything about it. */
  heard(process: Process): void {
    this.#untold.get(process)?.shift()
  }

  /** A process has ended: what it wrote and nobody has told of happened all the same. */
  ended(process: Process): void {
    const untold = this.#untold.get(process) ?? []
    this.#untold.delete(process)
    for (const each of untold) for (const change of each.written.changes) this.#tell(process, each, change)
  }

  /** A turn has failed. @returns What its message is called in findings. */
  failed(entity: EntityId, message: MessageId, outcome: string): string {
    const known = this.#durable.envelope(message)
    const type = known?.type ?? (message.startsWith(`${entity}#`) ? 'timeout' : 'result')
    this.note({ ...this.#step(entity, message, type, known?.from ?? 'client', known?.data), outcome })
    return type
  }

  effectStarted(process: Process, { entity, effect, key }: Extract<Signal, { signal: 'effect-started' }>): void {
    if (!this.#effects.has(key)) this.#effects.set(key, { entity, process, name: effect, acted: 0 })
  }

  /** An effect has acted on the outside. */
  acted(key: string, name: string, end: EffectEnd, before: PlainObject, after: PlainObject): void {
    const known = this.#effects.get(key)
    const isAgain = (known?.acted ?? 0) > 0
    if (known !== undefined) {
      known.acted += 1
      known.name = name
    }
    const hasChanged = JSON.stringify(before) !== JSON.stringify(after)
    if (hasChanged) this.#changed([{ entity: 'outside', before: lookAt(before), after: lookAt(after) }])
    this.note({
      from: known?.entity ?? 'host',
      to: 'outside',
      what: `effect "${name}"`,
      outcome: 'error' in end ? `fails: ${textOf(end.error)}` : hasChanged ? 'done' : 'done, and changes nothing',
      note: isAgain ? `run again after the host ${known?.process.howItEnded}` : undefined,
    })
  }

  #changed(changes: readonly Change[]): void {
    this.#changes.push({ at: this.#history.events.length, changes })
  }

  #mark(id: MessageId, process: Process): void {
    if (!this.#stored.has(id)) this.#stored.set(id, process)
  }

  #step(entity: EntityId, message: MessageId, type: string, from: string, data: PlainObject | undefined): MutableStep {
    if (type === 'timeout') return { from: 'time', to: entity, what: `timeout "${firedTimer(entity, message)}"` }
    if (type === 'result') {
      // Ids of processes have 21 characters, see process.ts.
      const effect = this.#effects.get(message.slice(0, -22))?.name ?? 'result'
      return { from: 'outside', to: entity, what: `result of effect "${effect}"` }
    }
    return { from, to: entity, what: type, data }
  }

  #noteOf(process: Process, message: MessageId): string | undefined {
    const by = this.#stored.get(message)
    if (by === undefined || by === process) return undefined
    // It came from one that lives beside it.
    if (by.isAmongOthers && by.state !== 'dead') return undefined
    return `redelivered after the host ${by.howItEnded}`
  }

  #outcome(process: Process, entity: EntityId, step: MutableStep): void {
    for (const { written, steps } of this.#untold.get(process) ?? []) {
      const change = written.changes.find((each) => each.entity === entity)
      if (change === undefined) continue
      const earlier = steps.get(entity)
      if (earlier !== undefined) {
        earlier.outcome = 'handled'
        earlier.sent = undefined
      }
      steps.set(entity, step)
      step.outcome ??= transition(change)
      const sent = change.commit.outbox.flatMap(({ id }) => this.#durable.envelope(id) ?? []).map(sending)
      if (sent.length > 0) step.sent = sent
      return
    }
  }

  #tell(process: Process, { written, steps }: Untold, change: Written['changes'][number]): void {
    const { entity, commit } = change
    if (steps.has(entity)) return
    const { registrations } = written.group
    const call = [...this.#calls.values()].find(
      (each) => each.entity === entity && registrations.some(({ key }) => key.endsWith(`~${correlationOf(each)}`)),
    )
    const known = commit.consumed.flatMap((id) => this.#durable.envelope(id) ?? [])
    const last = known.at(-1)
    const step: MutableStep =
      last !== undefined
        ? this.#step(entity, last.id, last.type, last.from, last.data)
        : { from: 'client', to: entity, what: call?.message.type ?? 'a message', data: payloadOf(call) }
    step.outcome = transition(change)
    step.note = `nobody heard of it: the host ${process.howItEnded}`
    this.note(step)
  }
}

/** How an effect has ended. */
export type EffectEnd = { readonly output: unknown } | { readonly error: unknown }

/** What a story has changed in all: before it, before its last change, after it. */
function joined(all: readonly (readonly Change[])[]): readonly Change[] {
  const joined = new Map<Change['entity'], Change>()
  for (const changes of all) {
    for (const [entity, change] of joined) joined.set(entity, { ...change, previous: change.after })
    for (const { entity, before, after } of changes) {
      joined.set(entity, { entity, before: (joined.get(entity) ?? { before }).before, previous: before, after })
    }
  }
  return [...joined.values()].filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after))
}

function lookAt(outside: PlainObject): Look {
  return { value: undefined, context: JSON.parse(JSON.stringify(outside)) }
}

function changeOf({ entity, before, after }: Change): Change {
  return { entity, before: lookOf(before), after: lookOf(after) }
}

function lookOf(view: Look | undefined): Look | undefined {
  return view === undefined ? undefined : { value: view.value, context: view.context }
}

function transition({ before, after }: { before: Look | undefined; after: Look | undefined }): string | undefined {
  if ((after as EntityView | undefined)?.parked === true) return 'parked'
  if (after === undefined) return undefined
  const to = nameOf(after)
  if (before === undefined) return `begins in ${to}`
  const from = nameOf(before)
  return from === to ? `stays in ${to}` : `${from} -> ${to}`
}

function nameOf({ value }: Look): string {
  return stateName(value) || 'its only state'
}

function sending({ type, to }: Envelope): string {
  return `${type} -> ${to}`
}

function payloadOf(call: CallAction | undefined): PlainObject | undefined {
  if (call === undefined) return undefined
  const { type: _, ...data } = call.message
  return data
}

/** The name for people of the timer whose firing a message is: firings are named by entity, timer and generation. */
function firedTimer(entity: EntityId, message: MessageId): string {
  return timerName(message.slice(entity.length + 1).replace(/#\d+$/, ''))
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
