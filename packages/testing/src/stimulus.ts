// stimulus.ts: what comes from outside: a command that a client sends, a fact that it publishes. Plain data.
import { type Address, AddressRef, type CommandFor, type EventFor, InterstateError } from '@interstate/core'

type AnyAddress = Address<unknown, unknown>

/** A call of a client, not yet made. */
export interface Stimulus {
  readonly call: 'send' | 'publish'
  /** The entity that the command is for, or that the event is about. */
  readonly address: AnyAddress
  /** `{ type, ...payload }`, as a client writes it. */
  readonly message: { readonly type: string }
}

/**
 * A command that a client sends: what `host.send` would take, as data.
 *
 * @throws InterstateError `ADDRESS_INVALID` for what is no address.
 *
 * @example
 * ```ts
 * world({ entities }).stimuli({ open: [send(Account.at('A'), { type: 'Open', cents: 500 })] })
 * ```
 */
export function send<A extends AnyAddress>(to: A, command: CommandFor<A>): Stimulus {
  return { call: 'send', address: checked(to), message: command as Stimulus['message'] }
}

/** A fact about an entity that a client publishes: what `host.publish` would take, as data. */
export function publish<A extends AnyAddress>(about: A, event: EventFor<A>): Stimulus {
  return { call: 'publish', address: checked(about), message: event as Stimulus['message'] }
}

/** @throws InterstateError `ADDRESS_INVALID` */
function checked(address: unknown): AnyAddress {
  if (address instanceof AddressRef) return address as unknown as AnyAddress
  throw new InterstateError('ADDRESS_INVALID', 'That is no address. Make one with Contract.at(key).')
}
