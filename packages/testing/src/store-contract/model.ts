// model.ts: a store told in values: every step takes a world and gives the next one. Slow, and easy to believe.
import type {
  Commit,
  CommitResult,
  EntityId,
  Group,
  GroupResult,
  IdempotencyKey,
  MessageId,
  Registration,
  ShardId,
  StoredMessage,
} from '@interstate/core'

/** See the file head. */
export interface World {
  /** At scope `shard` what one shard sends to another is on its way until the write has ended. */
  readonly scope: 'store' | 'shard'
  readonly epoch: number
  readonly entities: Readonly<Record<EntityId, { readonly version: number; readonly commit: Commit }>>
  /** In order. */
  readonly waiting: readonly StoredMessage[]
  readonly underWay: readonly { readonly from: ShardId; readonly message: StoredMessage }[]
  readonly dead: Readonly<Record<MessageId, string>>
  readonly keys: Readonly<Record<IdempotencyKey, { readonly message: MessageId; readonly reply: string | undefined }>>
  readonly latest: { readonly tag: string; readonly result: GroupResult } | undefined
}

export const emptyWorld: World = {
  scope: 'store',
  epoch: 0,
  entities: {},
  waiting: [],
  underWay: [],
  dead: {},
  keys: {},
  latest: undefined,
}

/** What a group does to a world, and what its writer is told. Whatever left has arrived then. */
export function write(world: World, group: Group): readonly [World, GroupResult] {
  const [next, result] = writeGroup(world, group)
  const arriving = next.underWay.toSorted((one, other) => one.from - other.from)
  const waiting = arriving.reduce((before, { message }) => add(before, [message]), next.waiting)
  return [{ ...next, waiting, underWay: [] }, result]
}

function writeGroup(world: World, group: Group): readonly [World, GroupResult] {
  if (world.latest?.tag === group.tag) return [world, again(world.latest.result)]
  const late = group.accepted
    .filter(({ lease }) => lease !== undefined && lease.epoch !== world.epoch)
    .map(({ id }) => id)
  // Of an event with several followers one is enough to keep out all.
  const shut = group.registrations.filter((each) => messagesOf(each).some((id) => late.includes(id)))
  const keptOut = [...late, ...shut.flatMap(messagesOf)]
  const fenced = group.accepted.map(({ id }) => id).filter((id) => keptOut.includes(id))
  const latest = (result: GroupResult): World['latest'] => ({ tag: group.tag, result })
  if (group.mode === 'together' && fenced.length > 0) {
    const result: GroupResult = { taken: [], fenced, results: group.commits.map(() => ({ outcome: 'rolled back' })) }
    return [{ ...world, latest: latest(result) }, result]
  }
  const open = group.registrations.filter((each) => !shut.includes(each))
  const taken = open.filter(({ key }) => key in world.keys)
  const refused = [...keptOut, ...taken.flatMap(messagesOf)]
  const registered = open.filter((each) => !taken.includes(each))
  const keys = Object.fromEntries(registered.map(({ key, message }) => [key, { message, reply: undefined }]))
  let next: World = { ...world, keys: { ...world.keys, ...keys } }
  for (const { lease: _, entry, ...message } of group.accepted) {
    if (!refused.includes(message.id)) next = place(next, message, entry ?? message.shard)
  }
  const results: CommitResult[] = []
  for (const commit of group.commits) {
    const [after, outcome] = apply(next, commit)
    next = after
    results.push(outcome)
  }
  const result = { taken: taken.map(({ key }) => key), fenced, results }
  const whole = taken.length === 0 && results.every(({ outcome }) => outcome === 'committed')
  return [{ ...(group.mode === 'together' && !whole ? world : next), latest: latest(result) }, result]
}

/** Moves a dead letter to the end of the inbox. */
export function requeue(world: World, message: StoredMessage): World {
  const { [message.id]: letter, ...dead } = world.dead
  return letter === undefined ? world : { ...world, dead, waiting: add(world.waiting, [message]) }
}

function apply(world: World, commit: Commit): readonly [World, CommitResult] {
  const { entity, lease, consumed } = commit
  const stored = world.entities[entity]
  const version = stored?.version ?? 0
  if (stored?.commit.tag === commit.tag) return [world, { outcome: 'already applied', version }]
  if (lease.epoch !== world.epoch) return [world, { outcome: 'fenced', epoch: world.epoch }]
  if (commit.expectedVersion !== version) return [world, { outcome: 'conflict', version }]
  const left = new Set(world.waiting.filter(({ to }) => to === entity).map(({ id }) => id))
  const message = consumed.find((id) => !left.delete(id))
  if (message !== undefined) return [world, { outcome: 'duplicate', message }]
  const rest = world.waiting.filter(({ id }) => !consumed.includes(id))
  const replies = commit.replies.flatMap(({ key, reply }) => {
    const known = world.keys[key]
    return known === undefined || known.reply !== undefined ? [] : [[key, { ...known, reply }]]
  })
  let next: World = {
    ...world,
    entities: { ...world.entities, [entity]: { version: version + 1, commit } },
    waiting: rest,
    dead: { ...world.dead, ...Object.fromEntries(commit.deadLetters.map(({ id, reason }) => [id, reason])) },
    keys: { ...world.keys, ...Object.fromEntries(replies) },
  }
  for (const message of commit.outbox) next = place(next, message, lease.shard)
  return [next, { outcome: 'committed', version: version + 1 }]
}

/** Into the inbox, or on its way to it. */
function place(world: World, message: StoredMessage, from: ShardId): World {
  if (world.scope === 'store' || from === message.shard) return { ...world, waiting: add(world.waiting, [message]) }
  return { ...world, underWay: [...world.underWay, { from, message }] }
}

/** At the end, where it does not wait already. */
function add(waiting: readonly StoredMessage[], more: readonly StoredMessage[]): readonly StoredMessage[] {
  return [...waiting, ...more.filter((one) => !waiting.some(({ id }) => id === one.id))]
}

function messagesOf({ message, others = [] }: Registration): readonly MessageId[] {
  return [message, ...others]
}

function again({ results, ...refused }: GroupResult): GroupResult {
  return {
    ...refused,
    results: results.map((each) =>
      each.outcome === 'committed' ? { outcome: 'already applied', version: each.version } : each,
    ),
  }
}
