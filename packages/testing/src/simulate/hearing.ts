// hearing.ts: what hosts tell in a run: it is counted, it goes into the story, and some of it is a finding.
import { type EntityId, InterstateError, type MessageId, parseEntityId } from '@interstate/core'
import type { Signal, SignalListener } from '@interstate/runtime'
import type { FindingCode } from '../failure/catalogue.ts'
import type { WorldError } from '../failure/error.ts'
import type { Chronicle } from './chronicle.ts'
import type { Process } from './process.ts'
import type { CallAction } from './run-plan.ts'
import type { Verdict } from './verdict.ts'

/** What is heard goes here. */
export interface HearingContext {
  readonly chronicle: Chronicle
  readonly verdict: Verdict
  /** Of a coverage, where this run counts for one. */
  readonly coverage: SignalListener | undefined
  /** What an observed machine has refused since this was asked last, by the name of its definition. */
  readonly refused: (type: string) => WorldError | undefined
}

type TurnSignal = Extract<Signal, { signal: 'turn' }>
type TroubleSignal = Extract<Signal, { signal: 'retry' | 'dead-letter' | 'parked' }>

/** A longer chain of messages without a timer or a call in between goes on for ever. */
const longestChain = 400

/** See the file head. */
export class Hearing {
  /** Messages handled. */
  turns = 0
  readonly #context: HearingContext
  readonly #depths = new Map<MessageId, number>()
  readonly #held = new Set<EntityId>()

  constructor(context: HearingContext) {
    this.#context = context
  }

  /** Whether an entity waits for a host that can read it. */
  isHeld(entity: EntityId): boolean {
    return this.#held.has(entity)
  }

  signal(process: Process, signal: Signal): void {
    switch (signal.signal) {
      case 'turn':
        // A turn is told once, after it has become durable: of one whose host died before it could, nobody hears.
        this.#context.coverage?.(signal)
        this.#turn(process, signal)
        return
      case 'effect-started':
        this.#context.chronicle.effectStarted(process, signal)
        return
      case 'retry':
      case 'dead-letter':
      case 'parked':
        this.#trouble(signal)
        return
      case 'held':
        this.#isHeld(signal)
        return
      case 'history-lost':
        this.#context.verdict.broken('G15', `No store of a run loses anything, and a host says so: ${signal.finding}.`)
        return
      case 'fatal':
        this.#fatal(process, signal.error)
        return
    }
  }

  /** A call ended as no call may. */
  callFailed({ entity, message }: CallAction, cause: unknown): void {
    const { verdict } = this.#context
    const what = `The call ${message.type} to ${entity} is refused: ${String(cause)}.`
    const isOurs = cause instanceof InterstateError && cause.code.startsWith('IDEMPOTENCY_KEY')
    if (isOurs) verdict.broken('G10', what)
    else verdict.find({ code: 'WORLD_INVALID', name: message.type, what, cause })
  }

  #turn(process: Process, signal: TurnSignal): void {
    this.turns += 1
    this.#context.chronicle.turn(process, signal)
    const depth = signal.type === 'timeout' ? 0 : (this.#depths.get(signal.causationId) ?? 0) + 1
    this.#depths.set(signal.message, depth)
    if (depth < longestChain) return
    const what = 'From the end of this story messages go round for ever.'
    this.#context.verdict.find({ code: 'MESSAGES_LOOP', name: '', what })
  }

  #trouble({ entity, message, code, text }: TroubleSignal): void {
    const { chronicle, verdict, refused: refusedBy } = this.#context
    const { type } = parseEntityId(entity)
    const refused = refusedBy(type)
    const called = chronicle.failed(entity, message, code === 'MESSAGE_REFUSED' ? 'not handled' : 'fails')
    const found = { code: findingOf(code, refused), name: `${type} ${called}`, what: refused?.what ?? text }
    verdict.find(refused === undefined ? found : { ...found, cause: refused })
  }

  #isHeld({ entity, error }: Extract<Signal, { signal: 'held' }>): void {
    this.#held.add(entity)
    this.#context.verdict.find({ code: 'TURN_FAILED', name: entity, what: error.message, cause: error })
  }

  #fatal(process: Process, error: InterstateError): void {
    const { chronicle, verdict } = this.#context
    chronicle.note({ from: 'store', to: 'host', what: 'fences it off', note: 'another host has taken over' })
    if (process.isSuperseded) return
    verdict.broken('G16', `A host that nobody took over from ended by itself: ${error.message}`)
  }
}

function findingOf(code: TroubleSignal['code'], refused: WorldError | undefined): FindingCode {
  if (refused !== undefined) return refused.code
  if (code === 'MESSAGE_REFUSED') return 'MESSAGE_UNHANDLED'
  return code === 'NOT_DETERMINISTIC' ? code : 'TURN_FAILED'
}
