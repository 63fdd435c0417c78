// shards.ts: `interstate shards`: who runs which shard, and what waits there.
import type { Lease, ShardId, StoreDriver, Tail } from '@interstate/core'
import { type Answer, type Context, forEach, shardsOf } from './answer.ts'
import { isoOf, moment, printable } from './printable.ts'
import { ranges } from './ranges.ts'
import { Refusal } from './refusal.ts'
import { ownerLetters, shardMap } from './shard-map.ts'
import { list, paragraphs, type Style, table } from './tables.ts'

/** What `interstate shards` takes. */
export interface ShardsOptions {
  /** One row for each shard. */
  readonly all?: boolean | undefined
  /** This one alone, in full. */
  readonly shard?: ShardId | undefined
}

/** One shard. */
export interface ShardRow {
  readonly shard: ShardId
  /** Who holds its lease; `null` for nobody, or where the store isn't shared. */
  readonly owner: string | null
  /** Who shall run it. */
  readonly assigned: string | null
  readonly epoch: number | null
  /** Messages in its inbox, counted up to {@link countedUpTo}. */
  readonly waiting: number
  readonly waitingIsExact: boolean
  /** Messages on their way to other shards. */
  readonly departing: number
  /** Its first timer. */
  readonly nextDue: string | null
  /** Why it stands still until a person decides: what history was found to be lost. */
  readonly halt: string | null
}

/** Bodies are read to count them, and may be large. */
export const countedUpTo = 100
const pageSize = 1_000

/** See the file head. */
export async function shards(context: Context, { all = false, shard }: ShardsOptions): Promise<Answer> {
  const { store, style } = context
  const { name, scope, cluster } = store
  if (shard !== undefined) checkShard(store, shard)
  const wanted = shard === undefined ? shardsOf(store) : [shard]
  const rows = await rowsOf(store, wanted, shard === undefined ? countedUpTo : Number.POSITIVE_INFINITY)
  const note = cluster === undefined ? 'One host runs all shards of this store: it is not shared.' : undefined
  const nobody = cluster === undefined ? 'the one host' : 'nobody'
  const [only] = rows
  const text =
    shard !== undefined && only !== undefined
      ? details(style, only, nobody)
      : all
        ? rowTable(style, rows, nobody)
        : paragraphs(pictureOf(style, rows, cluster !== undefined), byOwner(style, rows, nobody))
  return {
    document: { store: name, scope, shards: store.shards, isShared: cluster !== undefined, rows },
    text: paragraphs(text, haltsOf(style, rows), note),
  }
}

/** @throws Refusal `USAGE` for a shard that does not exist. */
export function checkShard({ shards: number }: StoreDriver, shard: ShardId): void {
  if (shard >= 0 && shard < number) return
  throw new Refusal('USAGE', `there is no shard ${shard}`, `this store has shards 0 to ${number - 1}`)
}

async function rowsOf(store: StoreDriver, wanted: readonly ShardId[], limit: number): Promise<readonly ShardRow[]> {
  const { cluster, lanes } = store
  const [leases, view, tails] = await Promise.all([
    cluster?.leases(wanted) ?? ([] as readonly Lease[]),
    cluster?.view(),
    lanes?.tails(wanted) ?? ([] as readonly Tail[]),
  ])
  const waiting = await forEach(wanted, 16, (shard) => countWaiting(store, shard, limit))
  const dues = await forEach(wanted, 16, (shard) => store.nextDue([shard], 0))
  return wanted.map((shard, index): ShardRow => {
    const lease = leases[index]
    const number = waiting[index] ?? 0
    return {
      shard,
      owner: lease?.owner || null,
      assigned: view?.assignment.owners[shard] ?? null,
      epoch: lease?.epoch ?? null,
      waiting: Math.min(number, limit),
      waitingIsExact: number <= limit,
      departing: tails[index]?.departing ?? 0,
      nextDue: isoOf(dues[index]),
      halt: view?.halts.find((halt) => halt.shard === shard)?.finding ?? null,
    }
  })
}

/** One more than the limit stands for more than the limit. */
async function countWaiting(store: StoreDriver, shard: ShardId, limit: number): Promise<number> {
  let found = 0
  let after = 0
  while (found <= limit) {
    const size = Math.min(pageSize, limit + 1 - found)
    const page = await store.inbox([shard], after, size)
    found += page.length
    after = page.at(-1)?.position ?? after
    if (page.length < size) break
  }
  return found
}

function pictureOf(style: Style, rows: readonly ShardRow[], isShared: boolean): string | undefined {
  return isShared ? shardMap(style, rows) : undefined
}

/** One row for each owner: so many fit on a screen. */
function byOwner(style: Style, rows: readonly ShardRow[], nobody: string): string {
  const letters = ownerLetters(rows)
  const owners = [...new Set(rows.map(({ owner }) => owner))].sort((one, other) =>
    (one ?? '~') < (other ?? '~') ? -1 : 1,
  )
  const cells = owners.map((owner) => {
    const mine = rows.filter((row) => row.owner === owner)
    const waiting = mine.reduce((sum, row) => sum + row.waiting, 0)
    const busy = mine.filter((row) => row.waiting > 0).map(({ shard }) => shard)
    return [
      letters.get(owner) ?? '.',
      owner === null ? nobody : printable(owner),
      mine.length,
      `${waiting}${mine.every(({ waitingIsExact }) => waitingIsExact) ? '' : '+'}`,
      mine.reduce((sum, { departing }) => sum + departing, 0),
      momentOf(mine.flatMap(({ nextDue }) => nextDue ?? []).sort()[0]),
      ranges(busy) || '-',
    ]
  })
  return table(style, ['', 'owner', 'shards', 'waiting', 'departing', 'next due', 'shards where messages wait'], cells)
}

/** Shards that stand still. */
function haltsOf({ colours }: Style, rows: readonly ShardRow[]): string | undefined {
  const lines = rows.flatMap(({ shard, halt }) => {
    return halt === null ? [] : [`${colours.red(`Shard ${shard} stands still`)}: ${printable(halt)}`]
  })
  if (lines.length === 0) return undefined
  return [...lines, 'A person decides: interstate shards resume <shard> --dry-run'].join('\n')
}

function rowTable(style: Style, rows: readonly ShardRow[], nobody: string): string {
  const cells = rows.map((row) => [
    row.shard,
    row.epoch ?? '-',
    waitingOf(row),
    row.departing,
    momentOf(row.nextDue),
    ownerOf(row, nobody),
  ])
  return table(style, ['shard', 'epoch', 'waiting', 'departing', 'next due', 'owner'], cells)
}

function details(style: Style, row: ShardRow, nobody: string): string {
  return list(style, [
    ['shard', `${row.shard}`],
    ['owner', ownerOf(row, nobody)],
    ['epoch', `${row.epoch ?? '-'}`],
    ['waiting', waitingOf(row)],
    ['departing', `${row.departing}`],
    ['next due', momentOf(row.nextDue)],
  ])
}

function ownerOf({ owner, assigned }: ShardRow, nobody: string): string {
  const moves = assigned !== null && assigned !== owner ? `, assigned to ${assigned}` : ''
  return printable(`${owner ?? nobody}${moves}`)
}

function waitingOf({ waiting, waitingIsExact }: ShardRow): string {
  return `${waiting}${waitingIsExact ? '' : '+'}`
}

function momentOf(iso: string | null | undefined): string {
  return moment(iso === null || iso === undefined ? undefined : Date.parse(iso))
}
