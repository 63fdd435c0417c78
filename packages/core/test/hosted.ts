// hosted.ts: one machine in three worlds, step by step: hosted and reloaded before each message, hosted and kept in
// memory, and run by XState itself. What can be seen of them must be the same after every step.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect } from 'vitest'
import {
  type AnyActor,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyStateMachine,
  createActor,
  createMachine,
  type EventObject,
  fromPromise,
  type NonReducibleUnknown,
  type PromiseActorLogic,
  SimulatedClock,
  setup,
} from 'xstate'
import {
  contract,
  type Decision,
  type Definition,
  decide,
  decodeSnapshot,
  defineAggregate,
  defineSaga,
  type EntityState,
  type Envelope,
  type ErrorCode,
  encodeSnapshot,
  entityId,
  follow,
  InterstateError,
  logicOf,
  type MessageId,
  type Plain,
  type PlainObject,
  type RunningEffect,
  type TurnOutcome,
  Wiring,
} from '../src/index.ts'

/** What a machine is built with: the same names stand for something else in each world. */
export interface Tools {
  /** A neighbour; it takes `{ type: 'Do', ... }`. */
  at(key: string): AnyActorRef
  /** A plain custom action that leaves a note. */
  note(text: string): () => void
  /** A promise that a later step settles. */
  readonly work: PromiseActorLogic<unknown, NonReducibleUnknown>
}
export type Build = (tools: Tools) => AnyStateMachine

/** What happens to the machine. */
export type Step =
  | { readonly send: EventObject & Record<string, unknown> }
  | { readonly tick: number }
  | { readonly settle: number; readonly output: Plain }
  | { readonly settle: number; readonly error: Plain }

/** All that can be seen of a machine. */
export interface Look {
  readonly value: unknown
  readonly context: unknown
  readonly status: string
  readonly output: unknown
  /** Messages sent and events emitted so far, in order. */
  readonly sent: readonly unknown[]
  readonly notes: readonly string[]
  /** Inputs of the promises started so far. */
  readonly runs: readonly unknown[]
}

/** A schema that takes everything. */
export const anything: StandardSchemaV1<Record<string, unknown>> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Record<string, unknown> }) },
}

interface Run {
  readonly input: unknown
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
}

abstract class World {
  protected readonly sent: unknown[] = []
  protected readonly notes: string[] = []
  protected readonly runs: Run[] = []

  protected tools(at: Tools['at']): Tools {
    return {
      at,
      note: (text) => () => void this.notes.push(text),
      work: fromPromise(
        ({ input }) => new Promise((resolve, reject) => this.runs.push({ input: input ?? null, resolve, reject })),
      ),
    }
  }

  look(): Look {
    const { value, context, status, output } = this.snapshot()
    const seen = { value, context, status, output, sent: this.sent, notes: this.notes }
    return JSON.parse(JSON.stringify({ ...seen, runs: this.runs.map(({ input }) => input) }))
  }

  protected abstract snapshot(): { value: unknown; context: unknown; status: string; output?: unknown }

  protected async settleRun(index: number, result: object): Promise<void> {
    const run = this.runs[index]
    if ('output' in result) run?.resolve(result.output)
    else run?.reject((result as { error: unknown }).error)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** XState itself, in memory. */
class InMemory extends World {
  readonly #actor: AnyActor
  readonly #clock = new SimulatedClock()

  constructor(build: Build) {
    super()
    const at = (key: string): AnyActorRef =>
      ({ _send: (event: unknown) => this.sent.push({ to: key, event }) }) as unknown as AnyActorRef
    const options = { clock: this.#clock, input: birth.input, logger: () => {} }
    this.#actor = createActor(build(this.tools(at)), options)
    this.#actor.on('*', (event: unknown) => void this.sent.push({ emitted: event }))
    this.#actor.subscribe({ error: () => {} })
  }

  /** Gives a text when the machine failed. */
  async take(step: Step | undefined): Promise<string | undefined> {
    if (step === undefined) this.#actor.start()
    else if ('tick' in step) this.#clock.increment(step.tick)
    else if ('settle' in step) await this.settleRun(step.settle, step)
    else if (this.#actor.getSnapshot().status === 'active') this.#actor.send(step.send)
    const { status, error } = this.#actor.getSnapshot()
    return status === 'error' ? String(error) : undefined
  }

  protected snapshot() {
    return this.#actor.getSnapshot()
  }
}

/** Interstate without a store. */
class Hosted extends World {
  readonly outcomes: TurnOutcome[] = []
  readonly #definition: Definition
  readonly #wiring: Wiring
  readonly #effects: { readonly id: string; readonly key: string; actor: AnyActor | undefined }[] = []
  readonly #keep: 'reload' | 'live'
  #state: EntityState | undefined
  #now = 1_700_000_000_000
  #messages = 0
  #failure: ErrorCode | undefined

  constructor(build: Build, keep: 'reload' | 'live') {
    super()
    this.#keep = keep
    const machine = build(this.tools((key) => Peer.at(key) as unknown as AnyActorRef))
    this.#definition = defineSaga(Subject, follow(Starter.event('Started').bySource().starts()), machine, {
      sends: [Peer],
      unhandled: 'ignore',
    })
    this.#wiring = new Wiring([this.#definition, peer, starter, watcher])
  }

  /** Gives the error code when the machine failed. */
  async take(step: Step | undefined): Promise<string | undefined> {
    if (step === undefined) this.#deliver('event', birth.type, {})
    else if ('tick' in step) this.#tick(step.tick)
    else if ('settle' in step) await this.#settle(step)
    else {
      const { type, ...data } = step.send
      this.#deliver('command', type, data as PlainObject)
    }
    return this.#failure
  }

  /** The stored form. */
  text(): string {
    if (this.#state === undefined) throw new Error('never came to life')
    return encodeSnapshot(this.#definition, this.#state)
  }

  protected snapshot() {
    if (this.#state === undefined) throw new Error('never came to life')
    return this.#state.snapshot
  }

  #tick(ms: number): void {
    this.#now += ms
    while (this.#failure === undefined) {
      const due = Object.entries(this.#state?.timers ?? {}).filter(([, timer]) => timer.due <= this.#now)
      const [first] = due.sort(([, one], [, two]) => one.due - two.due || one.generation - two.generation)
      if (first === undefined) return
      const [timer, { generation }] = first
      this.#deliver('timeout', 'timeout', { timer, generation })
    }
  }

  async #settle(step: Extract<Step, { settle: number }>): Promise<void> {
    const effect = this.#effects[step.settle]
    await this.settleRun(step.settle, step)
    if (effect === undefined || effect.actor !== undefined) return
    // It was stopped here, but another host may have run it to its end.
    const { settle: _, ...result } = step
    this.#deliver('result', 'result', { effect: effect.id, key: effect.key, ...result })
    expect(this.outcomes.at(-1)).toBe('stale')
  }

  #deliver(kind: Envelope['kind'], type: string, data: PlainObject): void {
    this.#messages += 1
    const id = `m${this.#messages}` as MessageId
    const chain = { correlationId: id, causationId: id, created: this.#now, contractVersion: 1 }
    const queue: Envelope[] = [{ id, kind, to: subject, from: 'client', type, data, ...chain }]
    try {
      for (const envelope of queue) queue.push(...this.#turn(envelope))
    } catch (error) {
      if (!(error instanceof InterstateError)) throw error
      this.#failure = error.code
    }
  }

  /** One turn; gives what the machine sent to itself. */
  #turn(envelope: Envelope): readonly Envelope[] {
    if (this.#state !== undefined && this.#keep === 'reload') {
      this.#state = decodeSnapshot(this.#definition, subject, this.text())
    }
    const decision = decide(this.#wiring, this.#definition, this.#state, envelope, this.#now)
    const again = decide(this.#wiring, this.#definition, this.#state, envelope, this.#now)
    expect(told(this.#definition, again)).toBe(told(this.#definition, decision))
    this.outcomes.push(decision.outcome)
    this.#state = decision.state
    for (const { kind, to, type, data } of decision.outbox) {
      if (kind === 'event') this.sent.push({ emitted: { type: type.slice('subject.'.length), ...data } })
      if (kind === 'command') this.sent.push({ to: to.slice('peer/'.length), event: { type, ...data } })
    }
    for (const key of decision.stopped) this.#stop(key)
    for (const [id, effect] of decision.started) this.#start(id, effect)
    for (const action of decision.actions) action()
    return decision.outbox.filter(({ kind }) => kind === 'internal')
  }

  #start(id: string, { src, input, key }: RunningEffect): void {
    const actor = createActor(logicOf(this.#definition.machine, src) as AnyActorLogic, { id, input })
    const effect = { id, key, actor: actor as AnyActor | undefined }
    this.#effects.push(effect)
    actor.subscribe({
      next: ({ status, output }) => status === 'done' && this.#deliver('result', 'result', { effect: id, key, output }),
      error: (error) => this.#deliver('result', 'result', { effect: id, key, error: error as Plain }),
    })
    actor.start()
  }

  #stop(key: string): void {
    const effect = this.#effects.find((each) => each.key === key)
    effect?.actor?.stop()
    if (effect !== undefined) effect.actor = undefined
  }
}

/** All that a decision says, as text. */
export function told(definition: Definition, decision: Decision): string {
  const { state, actions, ...outputs } = decision
  const text = state === undefined ? 'none' : encodeSnapshot(definition, state)
  return JSON.stringify({ text, actions: actions.length, ...outputs })
}

const Subject = contract('subject', { events: { Told: anything } })
const Peer = contract('peer', { commands: { Do: anything } })
const Starter = contract('starter', { events: { Started: anything } })
const peer = defineAggregate(Peer, createMachine({ on: { Do: {} } }) as AnyStateMachine)
const starter = defineAggregate(Starter, createMachine({}) as AnyStateMachine)
const watcher = defineSaga('watcher', follow(Subject.event('Told').bySource().starts()), createMachine({}))
const subject = entityId('subject', '1')
const birth = {
  type: 'starter.Started',
  input: { key: '1', message: { type: 'starter.Started' } },
}

/** What came of a machine. */
export interface Trail {
  /** What was seen at the start and after each step. */
  readonly looks: readonly Look[]
  readonly last: Look
  /** How each turn ended. */
  readonly outcomes: readonly TurnOutcome[]
  /** The code of the failure that ended it early, in XState too. */
  readonly failure: string | undefined
}

/** Takes a machine through these steps in all worlds and compares what can be seen after each. */
export async function sameAsXState(build: Build, steps: readonly Step[]): Promise<Trail> {
  const memory = new InMemory(build)
  const reloaded = new Hosted(build, 'reload')
  const live = new Hosted(build, 'live')
  const looks: Look[] = []
  const trail = (failure?: string): Trail => ({
    looks,
    last: looks.at(-1) as Look,
    outcomes: reloaded.outcomes,
    failure,
  })
  for (const step of [undefined, ...steps]) {
    const failures = [await memory.take(step), await reloaded.take(step), await live.take(step)]
    expect(failures[2]).toBe(failures[1])
    expect(failures[1] !== undefined).toBe(failures[0] !== undefined)
    if (failures[1] !== undefined) return trail(failures[1])
    looks.push(memory.look())
    expect(reloaded.look()).toEqual(looks.at(-1))
    expect(live.look()).toEqual(looks.at(-1))
    expect(live.text()).toBe(reloaded.text())
  }
  return trail()
}

/** A setup that takes every event. */
export const open = setup({ types: {} as { events: AnyEventObject } })
export const openWith = ({ work }: Tools) => setup({ types: {} as { events: AnyEventObject }, actors: { work } })

/** Shorthands for steps. */
export const send = (type: string, data: Record<string, unknown> = {}): Step => ({ send: { ...data, type } })
export const tick = (ms: number): Step => ({ tick: ms })
export const resolve = (run: number, output: Plain = null): Step => ({ settle: run, output })
export const reject = (run: number, error: Plain): Step => ({ settle: run, error })
