// entity.ts: what a person defines: aggregates and sagas, XState machines behind their contracts.
import type {
  AnyStateMachine,
  ContextFrom,
  EventFromLogic,
  EventObject,
  InputFrom,
  MachineContext,
  SnapshotFrom,
  StateValueFrom,
} from 'xstate'
import {
  type Address,
  type AddressOptions,
  AddressRef,
  type AggregateTypes,
  type Contract,
  contract,
  type FollowedEvent,
  type NoEvent,
  type ReceivedMessage,
  type RepliesFrom,
  type Schemas,
} from './contract.ts'
import { InterstateError } from './errors.ts'
import { hostable } from './hostable.ts'
import type { PlainObject } from './plain.ts'
import { structureOf } from './structure.ts'

/**
 * What happens to a message for which the machine has no transition in its present state. Never silence.
 * - `reject`: the sender is answered; the message is done.
 * - `ignore`: the message is done and counted.
 * - `park`: the entity stops with the message at its head, until a person decides.
 */
export type UnhandledPolicy = 'reject' | 'ignore' | 'park'

/** A stored snapshot of another machine version, for {@link DefinitionOptions.migrate}. */
export interface OldSnapshot {
  readonly version: string
  readonly value: unknown
  readonly context: PlainObject
}

/** What both kinds of definition take. */
export interface DefinitionOptions {
  /** Contracts that this machine sends commands to. Drawn, checked at start, enforced at run time. */
  readonly sends?: readonly AnyContract[]
  /** Default: `reject` for an aggregate, `park` for a saga. */
  readonly unhandled?: UnhandledPolicy
  /** Message types, as the machine sees them, that are done and counted where no transition takes them. */
  readonly ignores?: readonly string[]
  /** Turns what an older `version` of the machine stored into this version's form. */
  readonly migrate?: (old: OldSnapshot) => { readonly value: unknown; readonly context: PlainObject }
  /** What happens to a message that keeps failing. Default: `dead-letter` for an aggregate, `park` for a saga. */
  readonly poison?: 'dead-letter' | 'park'
}

/** Any contract; only its data is looked at. */
export type AnyContract = Pick<Contract, 'name' | 'version' | 'commands' | 'events' | 'replies'>
/** Any followed event; only its data is looked at. */
export type AnyFollowed = Pick<
  FollowedEvent<string, string, never, boolean>,
  'contract' | 'event' | 'correlation' | 'isStart'
>

/** An aggregate or a saga as the host knows it. */
export interface Definition {
  readonly kind: 'aggregate' | 'saga'
  /** The entity type. */
  readonly name: string
  readonly contract: Contract
  readonly machine: AnyStateMachine
  /** Changes whenever the machine's states do; stored with each snapshot. */
  readonly structure: string
  readonly follows: readonly AnyFollowed[]
  readonly sends: readonly AnyContract[]
  readonly unhandled: UnhandledPolicy
  readonly ignores: ReadonlySet<string>
  readonly poison: 'dead-letter' | 'park'
  readonly migrate: DefinitionOptions['migrate']
}

/** State, context and progress of an entity, as `host.read` gives it. */
export interface View<TMachine extends AnyStateMachine = AnyStateMachine> {
  readonly value: StateValueFrom<TMachine>
  readonly context: ContextFrom<TMachine>
  readonly status: SnapshotFrom<TMachine>['status']
  readonly output: unknown
  /** Counts commits. */
  readonly version: number
  /** The id of the message that the entity is parked with, if it is. */
  readonly parked: string | undefined
}

/** A definition whose addresses know the type of its view. */
export interface TypedDefinition<C, TMachine extends AnyStateMachine> extends Definition {
  /** Like `Contract.at`, and `host.read` gives its context typed. */
  at(key: string, options?: AddressOptions): Address<C, View<TMachine>>
}

type TakesCommands<C, M extends AnyStateMachine> =
  C extends Contract<string, infer S, infer _E, infer _R>
    ? [ReceivedMessage<S>] extends [EventFromLogic<M>]
      ? unknown
      : { readonly 'the machine does not take these commands': Exclude<ReceivedMessage<S>, EventFromLogic<M>> }
    : unknown

type TakesEvents<TEvents, M extends AnyStateMachine> = [TEvents] extends [EventFromLogic<M>]
  ? unknown
  : { readonly 'the machine does not take these events': Exclude<TEvents, EventFromLogic<M>> }

/**
 * An aggregate: it guards invariants, takes commands, publishes events, may refuse.
 *
 * @param of - Its contract.
 * @param machine - A plain XState v5 machine; `setup({ types: Contract.types<Context>() })` fills in its types.
 * @throws InterstateError `NOT_HOSTABLE` for what can't be stored between two messages, saying what to write instead.
 *
 * @example
 * ```ts
 * const counter = defineAggregate(Counter, setup({ types: Counter.types<{ total: number }>() }).createMachine({
 *   context: { total: 0 },
 *   on: { Add: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
 * }))
 * ```
 */
export function defineAggregate<
  C extends Contract<string, Schemas, Schemas, Schemas> | Contract<string, never, never, never>,
  M extends AnyStateMachine,
>(of: C, machine: M & TakesCommands<C, M>, options: DefinitionOptions = {}): TypedDefinition<C, M> {
  return define('aggregate', of as unknown as Contract, [], machine, {
    unhandled: 'reject',
    poison: 'dead-letter',
    ...options,
  })
}

/**
 * A saga: it runs a process, follows events, sends commands, sets timeouts, compensates.
 *
 * @param of - Its name; or a contract, for a saga that publishes events or takes commands of its own.
 * @param follows - What starts it and what it follows, see {@link follow}.
 * @param machine - A plain XState v5 machine; `setup({ types: follows.types<Context>() })` fills in its types. Its input
 * is `{ key, message }`: the saga's key and the event that started it.
 * @throws InterstateError `NOT_HOSTABLE`; `DEFINITION_INVALID` when nothing starts it.
 */
export function defineSaga<
  C extends string | Contract<string, Schemas, Schemas, Schemas> | Contract<string, never, never, never>,
  M extends AnyStateMachine,
  TEvents,
>(
  of: C,
  follows: Follows<TEvents, unknown>,
  machine: M & TakesCommands<C, M> & TakesEvents<TEvents, M>,
  options: DefinitionOptions = {},
): TypedDefinition<C, M> {
  const own = (typeof of === 'string' ? contract(of, {}) : of) as unknown as Contract
  const takesCommands = Object.keys(own.commands).length > 0
  if (!takesCommands && !follows.events.some((event) => event.isStart)) {
    throw new InterstateError(
      'DEFINITION_INVALID',
      `Nothing starts saga "${own.name}": no event it follows .starts() it.`,
    )
  }
  return define('saga', own, follows.events, machine, { unhandled: 'park', poison: 'park', ...options })
}

/** What a saga follows, as {@link follow} gives it. */
export interface Follows<TEvents, TStart> {
  readonly events: readonly AnyFollowed[]
  /** The XState `types` of the machine of a saga that has no context of its own. */
  types(): SagaTypes<TEvents, TStart, MachineContext, never, never, never>
  /**
   * The XState `types` of the saga's machine.
   * @typeParam TContext - The machine's context: plain data.
   * @typeParam TReplies - Contracts whose replies this machine waits for, as a union of `typeof Contract`.
   * @typeParam TInternal - Events that the machine raises to itself.
   * @typeParam TOwn - The saga's own contract, if it has one.
   */
  types<TContext extends MachineContext, TReplies = never, TInternal = never, TOwn = never>(): SagaTypes<
    TEvents,
    TStart,
    TContext,
    TReplies,
    TInternal,
    TOwn
  >
}

/** The XState `types` of a saga's machine; pass it to `setup`. */
export interface SagaTypes<TEvents, TStart, TContext extends MachineContext, TReplies, TInternal, TOwn> {
  context: TContext
  events:
    | Extract<TEvents, EventObject>
    | RepliesFrom<TReplies>
    | Extract<TInternal, EventObject>
    | OwnTypes<TOwn>['events']
  emitted: OwnTypes<TOwn>['emitted']
  input: { key: string; message: BirthMessage<TStart, TOwn> }
}
/** A command of the saga's own contract brings it to life too, and then no event did. */
type BirthMessage<TStart, TOwn> = [TOwn] extends [never]
  ? TStart
  : TOwn extends Contract<string, infer C, infer _E, infer _R>
    ? [keyof C] extends [never]
      ? TStart
      : TStart | undefined
    : TStart

type OwnTypes<TOwn> = [TOwn] extends [never]
  ? { events: never; emitted: NoEvent }
  : TOwn extends Contract<string, infer C, infer E, infer _R>
    ? AggregateTypes<C, E, Record<never, never>, never, never>
    : never

type MessagesOf<F> = F extends { readonly '~message'?: infer M } ? NonNullable<M> : never
type StartsOf<F> = F extends { readonly isStart: true; readonly '~message'?: infer M } ? NonNullable<M> : never

/**
 * Lists what a saga follows: what starts it, what moves it on, and by which property a message finds it.
 *
 * @example
 * ```ts
 * const follows = follow(Order.event('Submitted').by('orderId').starts(), Payment.event('Charged').bySource())
 * ```
 */
export function follow<const F extends readonly AnyFollowed[]>(
  ...events: F
): Follows<MessagesOf<F[number]>, StartsOf<F[number]>> {
  return { events, types: () => ({}) as never }
}

interface Policies {
  readonly unhandled: UnhandledPolicy
  readonly poison: 'dead-letter' | 'park'
}

function define<C, M extends AnyStateMachine>(
  kind: Definition['kind'],
  own: Contract,
  follows: readonly AnyFollowed[],
  machine: M,
  options: DefinitionOptions & Policies,
): TypedDefinition<C, M> {
  const definition: TypedDefinition<C, M> = {
    kind,
    name: own.name,
    contract: own,
    machine: hostable(own.name, machine),
    structure: structureOf(machine),
    follows,
    sends: options.sends ?? [],
    unhandled: options.unhandled,
    ignores: new Set(options.ignores),
    poison: options.poison,
    migrate: options.migrate,
    at: (key, at) => new AddressRef(own, key, at?.tenant) as unknown as Address<C, View<M>>,
  }
  return definition
}

/** The input that a machine gets at birth. */
export type BirthInput<M extends AnyStateMachine> = InputFrom<M>
