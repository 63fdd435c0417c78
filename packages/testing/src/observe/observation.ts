// observation.ts: one machine under observation: which of its functions runs, and what it did that no turn may do.
import { WorldError } from '../failure/error.ts'
import { freeze, settle } from './plain.ts'
import { trapped } from './traps.ts'

/** See the file head. */
export class Observation {
  readonly #type: string
  #place: string | undefined
  #found: WorldError | undefined
  #inputs: readonly unknown[] = []

  /** @param type - The entity type. */
  constructor(type: string) {
    this.#type = type
  }

  /** Whether a transition runs. */
  get active(): boolean {
    return this.#isActive
  }
  #isActive = false

  /** Runs a transition on inputs that it can't change. */
  transition<T extends { readonly context: unknown; readonly output?: unknown }>(
    inputs: { readonly context: unknown; readonly message: unknown },
    body: () => T,
  ): T {
    this.#inputs = [inputs.context, inputs.message]
    settle(inputs.context, 'context')
    freeze(inputs.message)
    this.#found = undefined
    this.#isActive = true
    try {
      const after = trapped(this.#sprung, body)
      this.#keep(after)
      return after
    } catch (error) {
      // XState puts what a guard threw into an error of its own; what was found counts.
      throw this.#found ?? error
    } finally {
      this.#isActive = false
      this.#place = undefined
      this.#inputs = []
    }
  }

  /** Runs one function of the machine: `action "record"`, `context function`. */
  within<T>(place: string, body: () => T): T {
    const around = this.#place
    this.#place = place
    try {
      return body()
    } catch (error) {
      throw this.#isActive ? this.#inPlace(error) : error
    } finally {
      this.#place = around
    }
  }

  #keep({ context, output }: { readonly context: unknown; readonly output?: unknown }): void {
    // It also counts where the machine caught it.
    if (this.#found !== undefined) throw this.#found
    const lost = settle(context, 'context') ?? (output === undefined ? undefined : settle(output, 'output'))
    if (lost === undefined) return
    throw this.#error(`"${this.#type}" keeps ${lost}, which its stored form would not give back.`)
  }

  readonly #sprung = (called: string, caller: string | undefined): Error => {
    const at = caller === undefined ? '' : ` at ${caller}`
    this.#found ??= this.#error(`In "${this.#type}", the ${this.#place ?? 'machine'} calls ${called}${at}.`)
    return this.#found
  }

  /** Frozen data answers a change with a TypeError. */
  #inPlace(error: unknown): unknown {
    if (this.#found !== undefined || !(error instanceof TypeError)) return error
    const change = /^Cannot (?:assign to read only|add|delete|define|redefine) property '?([^',]+)|not extensible/.exec(
      error.message,
    )
    if (change === null) return error
    const what = `In "${this.#type}", the ${this.#place} changes ${this.#changed(change[1])} in place`
    this.#found = this.#error(`${what}: ${error.message}.`, error)
    return this.#found
  }

  /** The engine names the property, not the object. */
  #changed(property: string | undefined): string {
    const [inContext, inMessage] = this.#inputs.map((input) => property === undefined || holds(input, property))
    if (inMessage === inContext) return 'the context'
    return inMessage ? 'the message' : 'the context'
  }

  #error(what: string, cause?: unknown): WorldError {
    return new WorldError('NOT_DETERMINISTIC', what, { name: this.#type, cause })
  }
}

function holds(value: unknown, property: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, property) || Object.values(value).some((item) => holds(item, property))
}
