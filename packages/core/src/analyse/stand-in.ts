// stand-in.ts: tries a function of a machine with a context and an event that stand for any.
import { AddressRef, ReplyRef } from '../contract.ts'
import { InterstateError } from '../errors.ts'
import { scope } from '../scope.ts'

/** To whom a message goes, as far as it can be told. */
export interface Receiver {
  readonly is: 'self' | 'entity' | 'asker'
  /** The contract of the entity, or of the reply; empty for one to itself. */
  readonly contract: string
  /** Whether it depends on the message being handled: two messages may well mean two entities. */
  readonly byEvent: boolean
}

/**
 * The receiver that a `to` of `sendTo` names. `undefined` where that can't be told: the function looked at the stand-in
 * closer than a stand-in bears.
 */
export function receiverOf(to: unknown, params: unknown): Receiver | undefined {
  const [first, ...others] = tries((trial) => receiverIn(trial, to, params))
  return others.every((other) => other?.is === first?.is && other?.contract === first?.contract) ? first : undefined
}

/**
 * The types that a message may have, as far as they can be told. A function that asks for a number is tried with a small
 * and with a large one, so that a choice by it shows as two types.
 */
export function typesOf(message: unknown, params: unknown): readonly string[] {
  const types = tries((trial) => typeIn(trial, message, params))
  return types.every((type) => type !== undefined) ? [...new Set(types)] : none
}

const none: readonly never[] = []
/** No message type or key of a person holds it. */
const anyText = '\u0001any'
/** A function that needs to look longer than this loops, and would loop forever. */
const maxLooks = 1_000

function tries<T>(attempt: (trial: Trial) => T): readonly T[] {
  const small = new Trial(-1)
  const first = attempt(small)
  return small.byNumber ? [first, attempt(new Trial(1e9))] : [first]
}

function receiverIn(trial: Trial, to: unknown, params: unknown): Receiver | undefined {
  try {
    const found = typeof to === 'function' ? to(...trial.given(params)) : to
    const { byEvent } = trial
    if (found === scope.self) return { is: 'self', contract: '', byEvent }
    if (found instanceof AddressRef) return { is: 'entity', contract: found.contract.name, byEvent }
    return found instanceof ReplyRef ? { is: 'asker', contract: found.contract.name, byEvent } : undefined
  } catch (error) {
    // Contract.at refuses a key that isn't text: which contract it was is all that is asked here.
    const isAddress = error instanceof InterstateError && error.code === 'ADDRESS_INVALID'
    const { type } = isAddress ? error.details : {}
    return typeof type === 'string' ? { is: 'entity', contract: type, byEvent: trial.byEvent } : undefined
  }
}

function typeIn(trial: Trial, message: unknown, params: unknown): string | undefined {
  try {
    const made = typeof message === 'function' ? message(...trial.given(params)) : message
    const type = (made as { readonly type?: unknown } | null | undefined)?.type
    return typeof type === 'string' && !type.includes(anyText) ? type : undefined
  } catch {
    return undefined
  }
}

/** One call with stand-ins, and how closely it looked at them. */
class Trial {
  byEvent = false
  byNumber = false
  readonly #number: number
  #looks = 0

  constructor(number: number) {
    this.#number = number
  }

  /** What XState would call with. */
  given(params: unknown): readonly [args: object, params: unknown] {
    const event = this.#standIn(() => {
      this.byEvent = true
    })
    const args = { context: this.#standIn(() => {}), event, self: scope.self, system: scope.system }
    return [args, typeof params === 'function' ? event : params]
  }

  /** Has every property and can be called; as text or as a number it is some. It can't be gone through item by item. */
  #standIn(onLook: () => void): unknown {
    const look = (): void => {
      onLook()
      this.#looks += 1
      if (this.#looks > maxLooks) throw new Error('A stand-in does not bear so many looks.')
    }
    const primitive = (hint: string): string | number => {
      if (hint !== 'number') return anyText
      this.byNumber = true
      return this.#number
    }
    const any: unknown = new Proxy(() => {}, {
      get(_, property) {
        look()
        if (property === Symbol.toPrimitive) return primitive
        if (typeof property === 'symbol') throw new Error('A stand-in has no items.')
        return any
      },
      apply() {
        look()
        return any
      },
    })
    return any
  }
}
