// contract.ts: what others may know of an entity type: its commands, events and replies, with schemas and a version.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type {
  ActionArgs,
  ActionFunction,
  ActorRef,
  EventObject,
  MachineContext,
  ParameterizedObject,
  Snapshot,
} from 'xstate'
import { sendTo } from 'xstate'
import { type EntityId, entityId } from './address.ts'
import { InterstateError } from './errors.ts'
import { type PlainLimits, type PlainObject, payloadCopy, plainCopy } from './plain.ts'

/** Message types by name; any Standard Schema: zod, valibot, arktype. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>
type None = Record<never, StandardSchemaV1>
type Flat<T> = { [K in keyof T]: T[K] }
// An empty object schema infers a record of nothing, whose index signature would swallow the `type`.
type Payload<T> = T extends Record<string, never> ? unknown : T

/** The messages of a set of schemas as a sender writes them: before defaults and transforms. */
export type SentMessage<S extends Schemas> = {
  [K in keyof S & string]: Flat<{ type: K } & Payload<StandardSchemaV1.InferInput<S[K]>>>
}[keyof S & string]
/** The messages of a set of schemas as a receiver sees them: after defaults and transforms. */
export type ReceivedMessage<S extends Schemas> = {
  [K in keyof S & string]: Flat<{ type: K } & Payload<StandardSchemaV1.InferOutput<S[K]>>>
}[keyof S & string]
/** Messages as another entity's machine sees them: the type is qualified, `payment.Charged`. */
export type QualifiedMessage<N extends string, S extends Schemas> = {
  [K in keyof S & string]: Flat<{ type: `${N}.${K}` } & Payload<StandardSchemaV1.InferOutput<S[K]>>>
}[keyof S & string]

/** What a sender gets when the receiver has no transition for its command and refuses it. */
export type RejectedMessage<N extends string> = { type: `${N}.rejected`; command: string; reason: string }
/** What comes back from the entities of a contract: its replies, or the refusal of a command. */
export type RepliesFrom<C> =
  C extends Contract<infer N, infer _C, infer _E, infer R> ? QualifiedMessage<N, R> | RejectedMessage<N> : never

/** The XState `types` of a machine behind a contract; pass it to `setup`. */
export interface AggregateTypes<
  C extends Schemas,
  E extends Schemas,
  TContext extends MachineContext,
  TReplies,
  TInternal,
> {
  context: TContext
  events: ReceivedMessage<C> | RepliesFrom<TReplies> | Extract<TInternal, EventObject>
  emitted: Emitted<E>
  input: { key: string }
}
/** What a machine may `emit`: its contract's events. XState wants some event type where there is none. */
export type Emitted<E extends Schemas> = [SentMessage<E>] extends [never] ? NoEvent : SentMessage<E>
/** Stands for the events of a contract that has none. */
export interface NoEvent {
  type: 'the contract has no events'
}

declare const contractOf: unique symbol
declare const viewOf: unique symbol

/**
 * The address of one entity. XState sees it as an actor reference, so that `sendTo` checks the command; it is data and
 * holds nothing alive.
 */
export interface Address<C = unknown, TView = unknown>
  extends ActorRef<
    Snapshot<unknown>,
    C extends Contract<string, infer S, infer _E, infer _R> ? SentMessage<S> : EventObject
  > {
  readonly [contractOf]: C
  readonly [viewOf]: TView
}
/** The command that an address takes. */
export type CommandFor<A> = A extends Address<Contract<string, infer S, infer _E, infer _R>> ? SentMessage<S> : never
/** The event that an address publishes. */
export type EventFor<A> = A extends Address<Contract<string, infer _C, infer S, infer _R>> ? SentMessage<S> : never
/** The reply that an address gives. */
export type ReplyFor<A> = A extends Address<Contract<string, infer _C, infer _E, infer S>> ? ReceivedMessage<S> : never

/** See {@link contract}. */
export interface Contract<
  N extends string = string,
  C extends Schemas = Schemas,
  E extends Schemas = Schemas,
  R extends Schemas = Schemas,
> {
  /** The entity type, the first part of its addresses. */
  readonly name: N
  /** Raised by one when a message changes in a way that an older host could not read. */
  readonly version: number
  readonly commands: C
  readonly events: E
  readonly replies: R
  /**
   * The address of one entity.
   * @throws InterstateError `ADDRESS_INVALID` for a key that no store could hold.
   */
  at(key: string, options?: AddressOptions): Address<Contract<N, C, E, R>>
  /** One event, for {@link follow}: say next by what a message finds its saga. */
  event<K extends keyof E & string>(type: K): EventSelector<N, K, E[K]>
  /** The XState `types` of a machine behind this contract that has no context of its own. */
  types(): AggregateTypes<C, E, MachineContext, never, never>
  /**
   * The XState `types` of a machine behind this contract.
   * @typeParam TContext - The machine's context: plain data.
   * @typeParam TReplies - Contracts whose replies this machine waits for, as a union of `typeof Contract`.
   * @typeParam TInternal - Events that the machine raises to itself.
   */
  types<TContext extends MachineContext, TReplies = never, TInternal = never>(): AggregateTypes<
    C,
    E,
    TContext,
    TReplies,
    TInternal
  >
  /** Answers whoever sent the message being handled: an entity gets it as a message, `host.ask` as its result. */
  reply<
    TContext extends MachineContext,
    TExpressionEvent extends EventObject,
    TParams extends ParameterizedObject['params'] | undefined,
    TEvent extends EventObject,
  >(
    message:
      | SentMessage<R>
      | ((args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => SentMessage<R>),
  ): ActionFunction<TContext, TExpressionEvent, TEvent, TParams, never, never, never, never, never>
}

/** Options of {@link Contract.at}. */
export interface AddressOptions {
  /** Part of the identity and of its hash. Default: the sender's tenant. */
  readonly tenant?: string
}

/** By what a message finds its saga. */
export type Correlation =
  | { readonly by: 'property'; readonly property: string }
  | { readonly by: 'source' }
  | { readonly by: 'function'; readonly key: (message: PlainObject) => string }

type KeyProperty<S extends StandardSchemaV1> = {
  [P in keyof StandardSchemaV1.InferOutput<S>]: StandardSchemaV1.InferOutput<S>[P] extends string | number ? P : never
}[keyof StandardSchemaV1.InferOutput<S>] &
  string

/** One event of a contract, before it is known how it finds its saga. */
export interface EventSelector<N extends string, K extends string, S extends StandardSchemaV1> {
  /** The saga's key is the value of this property, or what this function makes of the event. Prefer the property. */
  by(key: KeyProperty<S> | ((event: StandardSchemaV1.InferOutput<S>) => string)): FollowedEvent<N, K, S, false>
  /** The saga's key is the key of the entity that published the event. */
  bySource(): FollowedEvent<N, K, S, false>
}

/** One event that a saga follows. */
export interface FollowedEvent<
  N extends string,
  K extends string,
  S extends StandardSchemaV1,
  TStarts extends boolean,
> {
  readonly contract: Contract
  readonly event: K
  readonly correlation: Correlation
  readonly isStart: TStarts
  /** This event brings a saga to life that isn't there; it arrives as `input.message`, not as an event. */
  starts(): FollowedEvent<N, K, S, true>
  /** @internal Carries the types. */
  readonly '~message'?: QualifiedMessage<N, Record<K, S>>
}

/** What {@link contract} takes. */
export interface ContractOptions<C extends Schemas, E extends Schemas, R extends Schemas> {
  readonly version?: number
  readonly commands?: C
  readonly events?: E
  readonly replies?: R
}

/**
 * Declares what others may know of an entity type. Put it in a file of its own, which other slices may import.
 *
 * @param name - The entity type: 1 to 64 of `A-Z a-z 0-9 _`, starting with a letter. Persisted.
 * @param options - Schemas of commands, events and replies; `version`, by default 1.
 * @throws InterstateError `CONTRACT_INVALID` for a name that is malformed, reserved or used twice.
 *
 * @example
 * ```ts
 * const Payment = contract('payment', {
 *   commands: { Charge: z.object({ cents: z.number().int().positive() }) },
 *   events: { Charged: z.object({ cents: z.number() }) },
 * })
 * Payment.at('42')
 * ```
 */
export function contract<
  const N extends string,
  C extends Schemas = None,
  E extends Schemas = None,
  R extends Schemas = None,
>(name: N, options: ContractOptions<C, E, R>): Contract<N, C, E, R> {
  const { version = 1, commands = {} as C, events = {} as E, replies = {} as R } = options
  checkNames(name, version, [commands, events, replies])
  const self: Contract<N, C, E, R> = {
    name,
    version,
    commands,
    events,
    replies,
    at: (key, at) => new AddressRef(self, key, at?.tenant) as unknown as Address<Contract<N, C, E, R>>,
    event: (type) => {
      if (!Object.hasOwn(events, type)) throw unknownMessage(name, 'event', type)
      return selector(self as unknown as Contract, type)
    },
    types: () => ({}) as never,
    reply: (message) => sendTo(new ReplyRef(self as unknown as Contract) as never, message as never) as never,
  }
  return self
}

/** What `Contract.at` makes: an address as data. It is an actor reference to the compiler only. */
export class AddressRef {
  readonly contract: Contract
  readonly key: string
  readonly tenant: string | undefined
  readonly #id: EntityId

  constructor(of: { readonly name: string }, key: string, tenant: string | undefined) {
    this.contract = of as Contract
    this.key = key
    this.tenant = tenant
    this.#id = entityId(of.name, key, tenant)
  }

  /** The persisted name; an address without a tenant takes that of the sender. */
  id(senderTenant?: string): EntityId {
    if (this.tenant !== undefined || senderTenant === undefined) return this.#id
    return entityId(this.contract.name, this.key, senderTenant)
  }

  toJSON(): string {
    return this.id()
  }
}

/** The target of `Contract.reply`: whoever sent the message being handled. */
export class ReplyRef {
  readonly contract: Contract
  constructor(of: Contract) {
    this.contract = of
  }
}

/** The section of a contract that a message stands in. */
export type Section = 'command' | 'event' | 'reply'

/**
 * Checks a message against its contract and rebuilds it as plain data.
 *
 * @param message - `{ type, ...payload }` as a sender wrote it.
 * @returns The payload, without its type, as the receiver will see it.
 * @throws InterstateError `MESSAGE_RESERVED`, `MESSAGE_UNKNOWN`, `PAYLOAD_INVALID`, `NOT_PLAIN_DATA` or `LIMIT_EXCEEDED`.
 */
export function validate(of: Contract, section: Section, message: unknown, limits?: PlainLimits): PlainObject {
  const type = messageType(message)
  const schema = Object.hasOwn(sectionOf(of, section), type) ? sectionOf(of, section)[type] : undefined
  if (schema === undefined) throw unknownMessage(of.name, section, type)
  const what = `payload of ${of.name}.${type}`
  const payload = payloadCopy(message as object, what, limits) as PlainObject
  const result = runSchema(schema, payload, what)
  if (result instanceof Promise) {
    result.catch(() => {}) // Nobody waits for it, and a rejection that nobody takes ends the process.
    // zod answers with a promise when a transform threw, too.
    throw new InterstateError('CONTRACT_INVALID', `The schema of ${of.name}.${type} is asynchronous, or threw.`, {
      type,
    })
  }
  if (result.issues !== undefined) {
    // Not map: arktype's lists are classes of their own, and so would be what it gives.
    const issues = Array.from(result.issues, ({ message, path }) => ({
      message,
      path: path && Array.from(path, pathSegment),
    }))
    throw new InterstateError('PAYLOAD_INVALID', `The ${what} does not fit: ${issues[0]?.message}.`, { type, issues })
  }
  const received = plainCopy(result.value, what, limits)
  if (typeof received !== 'object' || received === null || Array.isArray(received)) {
    throw new InterstateError('CONTRACT_INVALID', `The schema of ${of.name}.${type} does not give an object.`, { type })
  }
  if (!Object.hasOwn(received, 'type')) return received as PlainObject
  // What a schema adds can't pass for another message either.
  const { type: _, ...data } = received as PlainObject
  return data
}

function runSchema(schema: StandardSchemaV1, payload: PlainObject, what: string) {
  try {
    return schema['~standard'].validate(payload)
  } catch (cause) {
    const issues = [{ message: String(cause) }]
    throw new InterstateError('PAYLOAD_INVALID', `The schema threw on the ${what}.`, { issues }, { cause })
  }
}

/** The type of a message, refused where it is missing or XState's own. */
export function messageType(message: unknown): string {
  const type: unknown = (message as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string') throw new InterstateError('MESSAGE_UNKNOWN', 'The message has no `type`.')
  if (isReserved(type)) throw new InterstateError('MESSAGE_RESERVED', `"${type}" is XState's own.`, { type })
  return type
}

/** Whether a message type is XState's own. A forged `xstate.done.actor.pay` would move a payment to paid. */
export function isReserved(type: string): boolean {
  return type.startsWith('xstate.')
}

function sectionOf(of: Contract, section: Section): Schemas {
  switch (section) {
    case 'command':
      return of.commands
    case 'event':
      return of.events
    case 'reply':
      return of.replies
  }
}

function selector<N extends string, K extends string, S extends StandardSchemaV1>(
  of: Contract,
  event: K,
): EventSelector<N, K, S> {
  return {
    by: (key) =>
      followed(
        of,
        event,
        typeof key === 'function'
          ? { by: 'function', key: key as (message: PlainObject) => string }
          : { by: 'property', property: key },
        false,
      ),
    bySource: () => followed(of, event, { by: 'source' }, false),
  }
}

function followed<N extends string, K extends string, S extends StandardSchemaV1, T extends boolean>(
  of: Contract,
  event: K,
  correlation: Correlation,
  isStart: T,
): FollowedEvent<N, K, S, T> {
  return { contract: of, event, correlation, isStart, starts: () => followed(of, event, correlation, true) }
}

const pathSegment = (segment: PropertyKey | StandardSchemaV1.PathSegment): string =>
  String(typeof segment === 'object' ? segment.key : segment)

const validName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
// XState's namespace, and the refusal that every contract can send.
const reservedNames: ReadonlySet<string> = new Set(['xstate', 'rejected', 'interstate'])

function checkNames(name: string, version: number, sections: readonly Schemas[]): void {
  const names = sections.flatMap((schemas) => Object.keys(schemas))
  for (const each of [name, ...names]) {
    if (!validName.test(each) || reservedNames.has(each)) {
      throw new InterstateError('CONTRACT_INVALID', `"${each}" is not a valid name in contract "${name}".`, {
        name: each,
      })
    }
  }
  const twice = names.find((each, index) => names.indexOf(each) !== index)
  if (twice !== undefined) {
    throw new InterstateError('CONTRACT_INVALID', `Contract "${name}" uses "${twice}" twice.`, { name: twice })
  }
  if (!Number.isInteger(version) || version < 1) {
    throw new InterstateError('CONTRACT_INVALID', `Contract "${name}" has version ${version}.`, { version })
  }
}

function unknownMessage(name: string, section: Section, type: string): InterstateError {
  return new InterstateError('MESSAGE_UNKNOWN', `Contract "${name}" has no ${section} "${type}".`, {
    name,
    section,
    type,
  })
}
