// scene.ts: the entity of a spec at one moment, and what happens to it next. Values in, a value out: a scene never
// changes, so that specs may share their beginning. What a message does, core's `decide` says alone,
// asked twice.
import {
  type Decision,
  type EntityId,
  type EntityState,
  type Envelope,
  InterstateError,
  nextDue,
  type PlainObject,
  parseEntityId,
  type Timer,
  type TurnOutcome,
  timeoutsOf,
} from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { take } from '../observe/take.ts'
import { spanInWords } from './duration.ts'
import type { System } from './system.ts'

/** See the file head. */
export interface Scene {
  readonly system: System
  /** `undefined` until the spec or its first message names it. */
  readonly entity: EntityId | undefined
  readonly tenant: string | undefined
  /** `undefined` before its first message. */
  readonly state: EntityState | undefined
  readonly now: number
  /** Messages so far. */
  readonly count: number
  readonly asked: ReadonlyMap<string, EntityId>
  /** What was given, line by line. */
  readonly told: readonly string[]
}

/** A command on its way; `after` is the delay of one that waits. */
export interface Sent {
  readonly to: EntityId
  readonly message: PlainObject
  readonly after?: string
}

/** An effect that was started or stopped. */
export interface EffectRun {
  readonly effect: string
  readonly id: string
  readonly input: unknown
}

/** What came of one message, or of passing time. */
export interface Happening {
  readonly scene: Scene
  readonly outcome: TurnOutcome
  /** Whether a sender was told that its command is not taken. */
  readonly isRefused: boolean
  readonly published: readonly PlainObject[]
  readonly sent: readonly Sent[]
  readonly replies: readonly PlainObject[]
  readonly started: readonly EffectRun[]
  readonly stopped: readonly string[]
  /** Milliseconds until each timer that was set and still runs. */
  readonly timers: readonly number[]
  /** What the last turn threw, which changed nothing then. */
  readonly failure?: InterstateError
}

// A machine that goes on for longer than this will not stop.
const mostTurns = 10_000

/** One message, and what the entity sends to itself because of it. */
export function deliver(scene: Scene, message: Envelope): Happening {
  const turns = new Turns({ ...scene, entity: message.to, count: scene.count + 1 })
  return turns.end(() => turns.take(message))
}

/** Time passes: the timers that come due fire, in their order, each at its time. */
export function pass(scene: Scene, ms: number): Happening {
  const turns = new Turns(scene)
  const until = scene.now + ms
  return turns.end(() => {
    let timeout = firstDue(turns.scene, until)
    while (timeout !== undefined) {
      turns.take(timeout)
      timeout = firstDue(turns.scene, until)
    }
    turns.scene = { ...turns.scene, now: until }
  })
}

class Turns {
  scene: Scene
  readonly #before: Scene
  readonly #decisions: { readonly decision: Decision; readonly now: number; readonly armed: number }[] = []

  constructor(scene: Scene) {
    this.#before = scene
    this.scene = scene
  }

  /** Messages of an entity to itself are part of what it does; nobody else could come between in a spec. */
  take(message: Envelope): void {
    const queue = [message]
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      queue.push(...this.#turn(next).outbox.filter(({ kind, to }) => kind === 'internal' && to === message.to))
    }
  }

  end(happens: () => void): Happening {
    try {
      happens()
      return this.#happening()
    } catch (error) {
      if (!(error instanceof InterstateError)) throw error
      return { ...this.#happening(), failure: error }
    }
  }

  #turn(message: Envelope): Decision {
    const { system, state } = this.scene
    if (this.#decisions.length >= mostTurns) {
      throw new WorldError('MESSAGES_LOOP', `${message.to} took ${mostTurns} turns on its own.`)
    }
    const now = Math.max(this.scene.now, message.created)
    const decision = take(system.wiring, system.definition, state, message, now)
    system.coverage?.turn(system.definition, state, message, decision)
    this.#decisions.push({ decision, now, armed: state?.armed ?? 0 })
    const sent = decision.outbox.filter(({ kind }) => kind === 'command')
    const asked = new Map([...this.scene.asked, ...sent.map(({ to }) => [parseEntityId(to).type, to] as const)])
    this.scene = { ...this.scene, now, state: decision.state, asked }
    return decision
  }

  #happening(): Happening {
    const { scene } = this
    const decisions = this.#decisions.map(({ decision }) => decision)
    const outbox = decisions.flatMap((each) => each.outbox)
    const set = this.#decisions.flatMap((each) => this.#timersSetIn(each))
    return {
      scene,
      outcome: decisions.map(({ outcome }) => outcome).find(isUnusual) ?? 'handled',
      isRefused: decisions.some(({ refusal }) => refusal !== undefined),
      published: outbox.filter(({ to }) => parseEntityId(to).type === scene.system.observer).map(unqualified),
      sent: [...outbox.filter(({ kind }) => kind === 'command').map(asSent), ...set.flatMap(delayed)],
      replies: decisions.flatMap((each) => each.replies.map(({ reply }) => reply)),
      started: decisions.flatMap((each) => each.started.map(([id, { src, input }]) => ({ effect: src, id, input }))),
      stopped: this.#stopped(decisions.flatMap((each) => each.stopped)),
      timers: set.filter(({ timer }) => timer.send === undefined).map(({ timer }) => timer.due - scene.now),
    }
  }

  /** Those that nobody has taken back or let fire since. */
  #timersSetIn({ decision, now, armed }: { decision: Decision; now: number; armed: number }) {
    const still = Object.values(this.scene.state?.timers ?? {}).map(({ generation }) => generation)
    return Object.values(decision.state?.timers ?? {})
      .filter(({ generation }) => generation > armed && still.includes(generation))
      .map((timer) => ({ timer, now }))
  }

  #stopped(keys: readonly string[]): readonly string[] {
    const runs = [this.#before.state, ...this.#decisions.map(({ decision }) => decision.state)]
    const names = new Map(runs.flatMap((each) => Object.values(each?.running ?? {})).map(({ key, src }) => [key, src]))
    return keys.map((key) => names.get(key) ?? key)
  }
}

const isUnusual = (outcome: TurnOutcome): boolean => outcome !== 'handled' && outcome !== 'sent'

function asSent({ to, type, data }: Envelope): Sent {
  return { to, message: { type, ...data } }
}

function delayed({ timer: { send, due }, now }: { readonly timer: Timer; readonly now: number }): Sent[] {
  return send === undefined ? [] : [{ ...asSent(send), after: spanInWords(due - now) }]
}

function unqualified({ type, data }: Envelope): PlainObject {
  return { type: type.slice(type.indexOf('.') + 1), ...data }
}

/** The next firing up to a time; it fires when it is due, or now if that was before. */
function firstDue({ state, now }: Scene, until: number): Envelope | undefined {
  const due = state === undefined ? undefined : nextDue(state)
  if (state === undefined || due === undefined || due > until) return undefined
  return timeoutsOf(state, Math.max(due, now))[0]
}
