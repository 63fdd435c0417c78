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
  const [first, second] = numbers.map((number) => receiverWith(to, params, number))
  return JSON.stringify(first) === JSON.stringify(second) ? first : undefined
}

/**
 * The types that a message may have, as far as they can be told. A function is tried twice, with small numbers and with
 * large ones, so that a choice by a number shows as two types.
 */
export function typesOf(message: unknown, params: unknown): readonly string[] {
  const types = numbers.map((number) => typeWith(message, params, number))
  return types.every((type) => type !== undefined) ? [...new Set(types)] : none
}

const numbers = [-1, 1e9] as const
const none: readonly never[] = []
/** No message type or key of a person holds it. */
const anyText = '\u0001any'
/** A function that needs to look longer than this loops, and would loop forever. */
const maxLooks = 1_000

function receiverWith(to: unknown, params: unknown, number: number): Receiver | undefined {
  let byEvent = false
  const given = standIns(params, number, () => {
    byEvent = true
  })
  try {
    const found = typeof to === 'function' ? to(...given) : to
    if (found === scope.self) return { is: 'self', contract: '', byEvent }
    if (found instanceof AddressRef) return { is: 'entity', contract: found.contract.name, byEvent }
    return found instanceof ReplyRef ? { is: 'asker', contract: found.contract.name, byEvent } : undefined
  } catch (error) {
    // Contract.at refuses a key that isn't text: which contract it was is all that is asked here.
    const isAddress = error instanceof InterstateError && error.code === 'ADDRESS_INVALID'
    const { type } = isAddress ? error.details : {}
    return typeof type === 'string' ? { is: 'entity', contract: type, byEvent } : undefined
  }
}

function typeWith(message: unknown, params: unknown, number: number): string | undefined {
  try {
    const made = typeof message === 'function' ? message(...standIns(params, number)) : message
    const type = (made as { readonly type?: unknown } | null | undefined)?.type
    return typeof type === 'string' && !type.includes(anyText) ? type : undefined
  } catch {
    return undefined
  }
}

function standIns(
  params: unknown,
  number: number,
  onEvent: () => void = () => {},
): readonly [args: object, params: unknown] {
  const args = { context: standIn(number), event: standIn(number, onEvent), self: scope.self, system: scope.system }
  return [args, typeof params === 'function' ? standIn(number, onEvent) : params]
}

/** Has every property and can be called; as text or as a number it is some. It can't be gone through item by item. */
function standIn(number: number, onLook: () => void = () => {}): unknown {
  let looks = 0
  const look = (): void => {
    onLook()
    looks += 1
    if (looks > maxLooks) throw new Error('A stand-in does not bear so many looks.')
  }
  const any: unknown = new Proxy(() => {}, {
    get(_, property) {
      look()
      if (property === Symbol.toPrimitive) return (hint: string) => (hint === 'number' ? number : anyText)
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
