// client.ts: who makes the calls of a run. A call under an idempotency key is repeated until it is answered; one without
// is made once, whatever becomes of it.
import { type Definition, type ErrorCode, InterstateError, idempotencyKey, parseEntityId } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import type { Chance } from './chance.ts'
import { correlationOf } from './chronicle.ts'
import type { Process } from './process.ts'
import type { CallAction } from './run-plan.ts'
import type { Timeline } from './timeline.ts'

/** Without an answer for so long a client repeats its call, in milliseconds. */
const patienceMs = 5_000

/** Ends of a call that no repetition would change. */
const final: ReadonlySet<ErrorCode> = new Set(['MESSAGE_REFUSED', 'MESSAGE_DEAD_LETTERED', 'ASK_TIMEOUT'])
/** Ends of a call after which it may be made again. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'HOST_STOPPED',
  'STORE_FAILED',
  'STORE_FULL',
  'STORE_UNCERTAIN',
  'LEASE_LOST',
])

/** What a client needs to know of its run. */
export interface ClientContext {
  readonly timeline: Timeline
  readonly definitions: ReadonlyMap<string, Definition>
  /** When the run began, by the wall clock. */
  readonly startMs: number
  readonly chance: Chance
  /** Whom calls go to at this moment. */
  readonly process: (call: CallAction, attempt: number) => Process | undefined
  readonly latency: () => number
  readonly log: (line: string) => void
  /** A call ended as no call may. */
  readonly failed: (call: CallAction, error: unknown) => void
}

/** No client waits longer before it comes again, in milliseconds: an outage of days is not to be a day of calls. */
const longestPauseMs = 6 * 3_600_000

interface Pending {
  attempts: number
  /** How often it came to a closed door. */
  inVain: number
}

/** See the file head. */
export class Client {
  readonly #context: ClientContext
  readonly #pending = new Map<number, Pending>()

  constructor(context: ClientContext) {
    this.#context = context
  }

  /** Calls that are not answered and will be repeated. */
  get pending(): number {
    return this.#pending.size
  }

  /** Makes a call, or makes it again. */
  make(call: CallAction): void {
    if (call.keyed) {
      const pending = this.#pending.get(call.number) ?? { attempts: 0, inVain: 0 }
      this.#pending.set(call.number, pending)
    }
    this.#try(call)
  }

  #try(call: CallAction): void {
    const { timeline, latency } = this.#context
    timeline.after(latency(), undefined, () => this.#reach(call))
  }

  #reach(call: CallAction): void {
    const { timeline, process } = this.#context
    const pending = this.#pending.get(call.number)
    if (call.keyed && pending === undefined) return
    const at = process(call, pending?.attempts ?? 0)
    const { host } = at ?? {}
    if (at === undefined || host === undefined || at.state === 'dead') {
      if (pending !== undefined) timeline.after(this.#pauseMs(pending), undefined, () => this.#reach(call))
      return
    }
    const attempt = pending === undefined ? 1 : ++pending.attempts
    // What reaches a process that stands still waits at its door.
    timeline.after(0, at, () => this.#answered(call, attempt, this.#call(host, call)))
    if (pending === undefined) return
    timeline.after(Math.min(longestPauseMs, patienceMs * 2 ** Math.min(20, attempt - 1)), undefined, () => {
      if (this.#pending.get(call.number) === pending && pending.attempts === attempt) this.#reach(call)
    })
  }

  #call(host: Host, call: CallAction): Promise<unknown> {
    const { definitions, startMs } = this.#context
    const { type, key, tenant } = parseEntityId(call.entity)
    const definition = definitions.get(type) as Definition
    const address = definition.contract.at(key, tenant === undefined ? {} : { tenant })
    const name = correlationOf(call)
    const options = {
      correlationId: name,
      ...(call.keyed ? { idempotencyKey: idempotencyKey(name, { at: startMs + call.at }) } : {}),
    }
    switch (call.call) {
      case 'send':
        return host.send(address, call.message as never, options)
      case 'ask':
        return host.ask(address, call.message as never, options)
      case 'publish':
        return host.publish(address, call.message as never, options)
      default:
        return call.call satisfies never
    }
  }

  async #answered(call: CallAction, attempt: number, answer: Promise<unknown>): Promise<void> {
    const { log, failed, timeline } = this.#context
    const name = `client ${call.number}.${attempt}`
    try {
      log(`${name} answered ${JSON.stringify(await answer)}`)
      this.#pending.delete(call.number)
    } catch (error) {
      const code = error instanceof InterstateError ? error.code : 'STORE_FAILED'
      log(`${name} refused ${error instanceof InterstateError ? code : String(error)}`)
      if (final.has(code)) this.#pending.delete(call.number)
      else if (passing.has(code)) {
        const pending = this.#pending.get(call.number)
        if (pending?.attempts === attempt) timeline.after(this.#pauseMs(pending), undefined, () => this.#reach(call))
      } else {
        this.#pending.delete(call.number)
        failed(call, error)
      }
    }
  }

  /** Longer and longer. */
  #pauseMs(pending: Pending): number {
    pending.inVain += 1
    return Math.min(longestPauseMs, this.#context.chance.ms(10, 500) * 2 ** Math.min(20, pending.inVain))
  }
}
