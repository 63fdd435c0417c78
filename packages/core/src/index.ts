// @interstate/core: words and decisions, pure. In message order.

export { type EntityId, entityId, type HostId, type Identity, type MessageId, parseEntityId } from './address.ts'
export { sentCommands } from './analyse/sent-commands.ts'
export { type AnalyseOptions, analyse } from './analyse.ts'
export { checkWiring } from './check-wiring.ts'
export {
  type Address,
  type AddressOptions,
  AddressRef,
  type AggregateTypes,
  type CommandFor,
  type Contract,
  type ContractOptions,
  contract,
  type EventFor,
  type EventSelector,
  type FollowedEvent,
  isReserved,
  messageType,
  type QualifiedMessage,
  type ReceivedMessage,
  type RejectedMessage,
  type RepliesFrom,
  type ReplyFor,
  type Schemas,
  type SentMessage,
  validate,
} from './contract.ts'
export { type Decision, decide, type TurnOutcome } from './decide.ts'
export { type EffectArgs, effect, giveKey } from './effect.ts'
export type { ClientReply, Outputs } from './effects.ts'
export {
  type AnyContract,
  type AnyFollowed,
  type Definition,
  type DefinitionOptions,
  defineAggregate,
  defineSaga,
  type Follows,
  follow,
  type OldSnapshot,
  type SagaTypes,
  type TypedDefinition,
  type UnhandledPolicy,
  type View,
} from './entity.ts'
export {
  type Asker,
  askerOf,
  checkEnvelope,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type MessageKind,
  type Sender,
} from './envelope.ts'
export { type CatalogueEntry, catalogue, type ErrorCode, InterstateError } from './errors.ts'
export type { Finding } from './finding.ts'
export { isPromiseLogic, logicOf } from './hostable.ts'
export { type IdempotencyKey, idempotencyKey, timeOfKey } from './idempotency.ts'
export { incarnationOf, turnStem } from './ids.ts'
export { type Chain, chainAfter, emptyChain } from './lane.ts'
export { type EffectEnd, resultOf, timeoutsOf } from './local.ts'
export { contextLimits, type Plain, type PlainLimits, type PlainObject, payloadLimits, plainCopy } from './plain.ts'
export type { Assignment, Cluster, ClusterView, Halt, HostRecord, Note } from './ports/cluster.ts'
export type { Env, TimerHandle, Watchdog } from './ports/env.ts'
export type {
  Consignment,
  Delivery,
  LaneEnd,
  LaneHead,
  LaneMessage,
  LanePlace,
  Lanes,
  Placed,
  Tail,
} from './ports/lanes.ts'
export type {
  AcceptedMessage,
  Acquired,
  Commit,
  CommitResult,
  DeadLetter,
  Group,
  GroupResult,
  InboxItem,
  KeyPlace,
  KeyState,
  Lease,
  Probe,
  Registration,
  Scope,
  StoreDriver,
  StoredEntity,
  StoredMessage,
  StoreLimits,
} from './ports/store.ts'
export { proposeOwners } from './rendezvous.ts'
export { defaultRetry, nextAttempt, type RetryPolicy, type Trouble } from './retry.ts'
export {
  type LogicalPartition,
  type PlacementRule,
  partitionOf,
  partitionsOf,
  type ShardId,
  shardOf,
} from './routing.ts'
export { decodeSnapshot, encodeSnapshot, machineVersion } from './snapshot.ts'
export { type Cause, type EntityState, nextDue, type RunningEffect, type Timer } from './state.ts'
export { statesOf } from './structure.ts'
export { type Turn, turn, turnReads } from './turn.ts'
export { correlate, type Follower, Wiring } from './wiring.ts'
