// errors.ts: the catalogue of everything that can go wrong, and the one error type that carries it.

/** A permanent code: users search for it. Retire a code, never reuse it. */
export type ErrorCode =
  | 'ADDRESS_INVALID'
  | 'ASK_TIMEOUT'
  | 'CONTRACT_INVALID'
  | 'DEAD_LETTER_UNKNOWN'
  | 'DEFINITION_INVALID'
  | 'EFFECT_FAILED'
  | 'ENTITY_NOT_PARKED'
  | 'ENTITY_PARKED'
  | 'ENTITY_UNKNOWN'
  | 'HOST_CRASHED'
  | 'HOST_STOPPED'
  | 'IDEMPOTENCY_KEY_EXPIRED'
  | 'IDEMPOTENCY_KEY_INVALID'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'LEASE_LOST'
  | 'LIMIT_EXCEEDED'
  | 'MACHINE_FAILED'
  | 'MACHINE_NEVER_SETTLES'
  | 'MESSAGE_DEAD_LETTERED'
  | 'MESSAGE_REFUSED'
  | 'MESSAGE_RESERVED'
  | 'MESSAGE_UNKNOWN'
  | 'MESSAGE_UNREADABLE'
  | 'MESSAGE_VERSION_UNKNOWN'
  | 'NOT_DETERMINISTIC'
  | 'NOT_HOSTABLE'
  | 'NOT_PLAIN_DATA'
  | 'PAYLOAD_INVALID'
  | 'REQUEUE_REFUSED'
  | 'SNAPSHOT_UNREADABLE'
  | 'SNAPSHOT_VERSION_UNKNOWN'
  | 'STORE_FAILED'
  | 'STORE_FENCED'
  | 'STORE_FOREIGN'
  | 'STORE_FULL'
  | 'STORE_IN_USE'
  | 'STORE_LOST_HISTORY'
  | 'STORE_NEWER'
  | 'STORE_UNCERTAIN'
  | 'STORE_UNFIT'
  | 'WIRING_INVALID'

/** What the catalogue says of one code. */
export interface CatalogueEntry {
  /** Whether the same call may succeed later without a change by a person. */
  readonly retryable: boolean
  /** What to do, in one or two sentences. */
  readonly remedy: string
}

/** Every {@link ErrorCode} with its remedy. The reference page is generated from this table. */
export const catalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = {
  ADDRESS_INVALID: {
    retryable: false,
    remedy: 'Use a key of 1 to 256 characters without "/", "{", "}" or control characters.',
  },
  ASK_TIMEOUT: {
    retryable: true,
    remedy: 'The message is accepted and will be handled; ask again with the same idempotency key to get its reply.',
  },
  CONTRACT_INVALID: {
    retryable: false,
    remedy: 'Names are 1 to 64 of A-Z a-z 0-9 _ and start with a letter; no name may be used twice in a contract.',
  },
  DEAD_LETTER_UNKNOWN: { retryable: false, remedy: 'List the dead letters; it may have been requeued already.' },
  DEFINITION_INVALID: { retryable: false, remedy: 'Correct the definition; nothing was started.' },
  EFFECT_FAILED: {
    retryable: false,
    remedy: 'Give the invoke an onError transition, or mend the outside system and requeue the dead letter.',
  },
  ENTITY_NOT_PARKED: { retryable: false, remedy: 'List the parked entities; it may go on already.' },
  ENTITY_PARKED: {
    retryable: false,
    remedy: 'Inspect the entity, mend the cause and unpark it; its messages are kept in order.',
  },
  ENTITY_UNKNOWN: {
    retryable: false,
    remedy: 'Add its definition to `entities` of createHost, or correct the address.',
  },
  HOST_CRASHED: {
    retryable: false,
    remedy: 'See the crash reports of the host, mend the cause, then requeue the dead letter or unpark the entity.',
  },
  HOST_STOPPED: { retryable: true, remedy: 'The message was not accepted. Send it again to a running host.' },
  IDEMPOTENCY_KEY_EXPIRED: {
    retryable: false,
    remedy: 'The key is older than the purge mark, so whether it ran is no longer known. It is never run again.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    retryable: false,
    remedy: 'Make keys with idempotencyKey(name, { at }), at most 256 characters of name.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    retryable: false,
    remedy: 'The key stands for another message. Use one key for one message, and a new key for a new one.',
  },
  LEASE_LOST: {
    retryable: true,
    remedy: 'Nothing was written; send the call again to the present owner. If this repeats, two hosts run one store.',
  },
  LIMIT_EXCEEDED: {
    retryable: false,
    remedy: 'Send less at once, or raise the limit in `limits` of createHost where the store allows it.',
  },
  MACHINE_FAILED: {
    retryable: false,
    remedy: 'Mend the guard or action that threw, deploy, then requeue the dead letter or unpark the entity.',
  },
  MACHINE_NEVER_SETTLES: {
    retryable: false,
    remedy: 'Break the cycle of `always` or raised events, or raise `options.maxIterations` of the machine.',
  },
  MESSAGE_DEAD_LETTERED: {
    retryable: false,
    remedy: 'See host.deadLetters.inspect(id) for the cause; requeue it when that is mended.',
  },
  MESSAGE_REFUSED: {
    retryable: false,
    remedy: 'The entity has no transition for this message in its present state. Read its state and decide anew.',
  },
  MESSAGE_RESERVED: { retryable: false, remedy: 'Types that start with "xstate." belong to XState; use another name.' },
  MESSAGE_UNKNOWN: { retryable: false, remedy: 'Add the message to its contract, or correct its `type`.' },
  MESSAGE_UNREADABLE: {
    retryable: false,
    remedy: 'The stored message is damaged or of an unknown format; it is kept as a dead letter for a person to read.',
  },
  MESSAGE_VERSION_UNKNOWN: {
    retryable: true,
    remedy: 'Deploy a host whose contract has this version. The entity waits until then; nothing is lost.',
  },
  NOT_DETERMINISTIC: {
    retryable: false,
    remedy: 'Take time, chance and ids from turn() instead of Date.now, Math.random or a closure that changes.',
  },
  NOT_HOSTABLE: {
    retryable: false,
    remedy: 'Hold no live reference in a machine: model a child as an entity of its own and talk to it by messages.',
  },
  NOT_PLAIN_DATA: {
    retryable: false,
    remedy: 'Use JSON data only: objects, arrays, strings, finite numbers, booleans and null.',
  },
  PAYLOAD_INVALID: { retryable: false, remedy: 'Correct the payload; `details.issues` lists what its schema refused.' },
  REQUEUE_REFUSED: { retryable: false, remedy: 'See the dry run for what would happen; mend that first.' },
  SNAPSHOT_UNREADABLE: {
    retryable: false,
    remedy: 'Restore the entity from a backup or give its definition a `migrate`; only this entity is quarantined.',
  },
  SNAPSHOT_VERSION_UNKNOWN: {
    retryable: true,
    remedy: 'Deploy a host that knows this version, or give the definition a `migrate`. The entity waits until then.',
  },
  STORE_FAILED: {
    retryable: true,
    remedy: 'Nothing was acknowledged. See `cause` for what the database said; the host tries again by itself.',
  },
  STORE_FENCED: {
    retryable: false,
    remedy: 'A sync to disk failed, so what the disk holds is unknown. Start a new process on a healthy disk.',
  },
  STORE_FOREIGN: {
    retryable: false,
    remedy:
      'What stands there was not made by Interstate, or is another store; it was left untouched. Give another place.',
  },
  STORE_FULL: { retryable: true, remedy: 'Nothing was stored. Free some disk space; the host goes on by itself.' },
  STORE_IN_USE: {
    retryable: true,
    remedy: 'Stop the other process first: one process owns the file. For many hosts use a networked store.',
  },
  STORE_LOST_HISTORY: {
    retryable: false,
    remedy:
      'The store has less than it acknowledged: a failover, a restored backup, a flush. The shard stands still until a person decides, see the operating guide.',
  },
  STORE_NEWER: {
    retryable: false,
    remedy: 'The store was written by a newer version and left untouched. Upgrade the package of its driver.',
  },
  STORE_UNCERTAIN: {
    retryable: true,
    remedy:
      'The store did not answer, so it may have been accepted or not. Send it again with the same idempotency key.',
  },
  STORE_UNFIT: {
    retryable: false,
    remedy: 'The store fails the probe named in `details`; see the how-to of its driver.',
  },
  WIRING_INVALID: { retryable: false, remedy: 'Mend the wiring that `details.findings` lists; nothing was started.' },
}

/**
 * The one error type users catch; branch on `code`, never on the message.
 *
 * @example
 * ```ts
 * try {
 *   await host.send(Payment.at('42'), { type: 'Charge', cents: 1200 })
 * } catch (error) {
 *   if (error instanceof InterstateError && error.code === 'PAYLOAD_INVALID') console.log(error.details)
 * }
 * ```
 */
export class InterstateError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: 'InterstateError' = 'InterstateError'
  /** The permanent code, see {@link catalogue}. */
  readonly code: C
  /** What the error is about, as data: addresses, limits, issues. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: C, what: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(`${what} ${catalogue[code].remedy} [${code}]`, options)
    this.code = code
    this.details = details
  }

  /** Whether the same call may succeed later without a change by a person. */
  get retryable(): boolean {
    return catalogue[this.code].retryable
  }
}
