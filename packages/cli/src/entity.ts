// entity.ts: `interstate entity show`: all that is stored of one entity, and what waits for it.
import {
  type EntityId,
  entityId,
  type InboxItem,
  parseEntityId,
  type StoreDriver,
  type StoredEntity,
  shardOf,
} from '@interstate/core'
import { type Answer, type Context, forEach, shardsOf } from './answer.ts'
import { messageOf } from './letters.ts'
import { isoOf, moment, printable, printableJson } from './printable.ts'
import { Refusal, withoutRemedy } from './refusal.ts'
import { readSnapshot, readTrouble, type SnapshotReading, type TroubleReading } from './stored-entity.ts'
import { list, paragraphs, type Style, table } from './tables.ts'

/** What `interstate entity show` takes. */
export interface EntityOptions {
  /** `type/key`, or `tenant/type/key`. */
  readonly name: string
  /** Waiting messages shown at most. */
  readonly limit: number
}

interface Found {
  readonly shard: number
  readonly stored: StoredEntity | undefined
  /** One more than the limit, where there are more. */
  readonly waiting: readonly InboxItem[]
}

/** See the file head. */
export async function showEntity({ store, style }: Context, { name, limit }: EntityOptions): Promise<Answer> {
  const entity = nameOf(name)
  const found = await find(store, entity, limit)
  if (found === undefined) {
    const remedy = 'check the spelling; a saga that is done and an entity that was never sent anything leave nothing'
    throw new Refusal('NOT_FOUND', `nothing is stored of ${entity}, and nothing waits for it`, remedy)
  }
  const { shard, stored } = found
  const snapshot = stored?.snapshot === undefined ? undefined : readSnapshot(stored.snapshot, entity)
  const trouble = readTrouble(stored?.trouble)
  const waiting = found.waiting.slice(0, limit).map((item) => {
    const { type, kind, from, created } = messageOf(item) ?? {}
    return {
      id: item.id,
      position: item.position,
      type: type ?? null,
      kind: kind ?? null,
      from: from ?? null,
      created: isoOf(created),
    }
  })
  const hasMore = found.waiting.length > limit
  const document = {
    entity,
    shard,
    version: stored?.version ?? 0,
    wakeAt: isoOf(stored?.wakeAt),
    status: snapshot?.status ?? null,
    value: snapshot?.value ?? null,
    context: snapshot?.context ?? null,
    output: snapshot?.output ?? null,
    machine: snapshot?.machine ?? null,
    incarnation: snapshot?.incarnation ?? null,
    turns: snapshot?.sequence ?? null,
    lastTurn: isoOf(snapshot?.now),
    damage: snapshot?.damage ?? null,
    timers: snapshot?.timers.map((timer) => ({ ...timer, due: isoOf(timer.due) })) ?? [],
    running: snapshot?.running ?? [],
    trouble:
      trouble === undefined ? null : { ...trouble, retryAt: isoOf(trouble.retryAt), parkedAt: isoOf(trouble.parkedAt) },
    isParked: trouble?.parkedAt !== undefined,
    waiting,
    hasMoreWaiting: hasMore,
  }
  const rows = waiting.map(({ type, from, created, id }) => [
    printable(type ?? 'can not be read'),
    printable(from ?? '-'),
    created === null ? '-' : moment(Date.parse(created)),
    printable(id),
  ])
  const text = paragraphs(
    list(style, [
      ['entity', entity],
      ['shard', `${shard}`],
      ['version', `${stored?.version ?? 0}`],
      ...(snapshot === undefined ? [['state', 'none: it has handled nothing yet'] as const] : stateRows(snapshot)),
      ...(trouble === undefined ? [] : troubleRows(style, trouble)),
    ]),
    snapshot?.timers.length ? timerTable(style, snapshot) : undefined,
    snapshot?.running.length ? effectTable(style, snapshot) : undefined,
    rows.length === 0
      ? 'No message waits.'
      : `${style.colours.bold('waiting')}\n${table(style, ['type', 'from', 'created', 'id'], rows)}${hasMore ? `\nand more: --limit ${limit * 10}` : ''}`,
  )
  return { document, text }
}

/** @throws Refusal `USAGE` with the right spelling, where a key was only not encoded. */
function nameOf(name: string): EntityId {
  try {
    parseEntityId(name as EntityId)
    return name as EntityId
  } catch (error) {
    const spelling = spellingOf(name)
    if (spelling === undefined) throw error
    throw new Refusal('USAGE', `"${name}" is not how this name is stored`, `write ${spelling}`, { cause: error })
  }
}

function spellingOf(name: string): EntityId | undefined {
  const [key, type, tenant, ...more] = name.split('/').reverse()
  if (key === undefined || type === undefined || more.length > 0) return undefined
  try {
    const id = entityId(type, key, tenant)
    parseEntityId(id)
    return id
  } catch {
    return undefined
  }
}

/** A placement rule may have put it elsewhere than its hash says. */
async function find(store: StoreDriver, entity: EntityId, limit: number): Promise<Found | undefined> {
  const byHash = shardOf(entity, store.shards)
  const first = await look(store, entity, [byHash], limit)
  if (first !== undefined || store.scope === 'store') return first
  return look(
    store,
    entity,
    shardsOf(store).filter((shard) => shard !== byHash),
    limit,
  )
}

async function look(
  store: StoreDriver,
  entity: EntityId,
  shards: readonly number[],
  limit: number,
): Promise<Found | undefined> {
  const rows = await store.load(shards.map((shard) => ({ entity, shard })))
  const inboxes = await forEach(shards, 16, (shard) => store.inboxOf({ entity, shard }, 0, limit + 1))
  for (const [index, shard] of shards.entries()) {
    const stored = rows[index]
    const waiting = inboxes[index] ?? []
    if (stored !== undefined || waiting.length > 0) return { shard: waiting[0]?.shard ?? shard, stored, waiting }
  }
  return undefined
}

function stateRows(snapshot: SnapshotReading): readonly (readonly [string, string])[] {
  const { status, value, context, output, machine, sequence, now, damage } = snapshot
  return [
    ...(damage === undefined ? [] : [['damage', `${damage}: a host will not use it`] as const]),
    ['state', printableJson(value)],
    ['status', printable(status ?? '-')],
    ['context', printableJson(context)],
    ...(output === undefined ? [] : [['output', printableJson(output)] as const]),
    ['machine', printable(`version ${machine ?? '?'}, ${sequence ?? '?'} turns, the last ${moment(now)}`)],
  ]
}

function troubleRows({ colours }: Style, trouble: TroubleReading): readonly (readonly [string, string])[] {
  const { message, attempts, crashes, code, text, retryAt, parkedAt } = trouble
  const tries = `failed ${attempts ?? '?'} times${crashes ? `, ended ${crashes} hosts` : ''}`
  return [
    parkedAt === undefined
      ? ['trouble', colours.yellow(retryAt === undefined ? 'at its first message' : `tried again ${moment(retryAt)}`)]
      : ['parked', colours.red(`since ${moment(parkedAt)}, until a person lets it go on: host.parked.unpark`)],
    ['at', printable(`${message ?? '?'} ${tries}`)],
    ...(code === undefined ? [] : [['because', printable(`${code}: ${withoutRemedy(code, text ?? '')}`)] as const]),
  ]
}

function timerTable(style: Style, { timers }: SnapshotReading): string {
  const rows = timers.map(({ name, due, raises, sends }) => [
    printable(name),
    moment(due),
    printable(sends ?? raises ?? '?'),
  ])
  return `${style.colours.bold('timers')}\n${table(style, ['name', 'due', 'then'], rows)}`
}

function effectTable(style: Style, { running }: SnapshotReading): string {
  const rows = running.map(({ name, src, key, input }) => [
    printable(name),
    printable(src ?? '?'),
    printable(key ?? '?'),
    printableJson(input),
  ])
  return `${style.colours.bold('running effects')}\n${table(style, ['name', 'does', 'key', 'input'], rows)}`
}
