// end.ts: judges a run that has ended: nothing that can be delivered waits any more, and the whole history holds.
import type { EntityId, HostId, InboxItem, ShardId, StoreDriver } from '@interstate/core'
import { checkHistory } from '../history/check.ts'
import type { History } from '../history/history.ts'
import { recording } from '../history/recording.ts'
import { takeStock } from '../history/stock.ts'
import type { Durable } from './durable.ts'
import type { Judge } from './judge.ts'
import type { Site } from './site.ts'
import type { Verdict } from './verdict.ts'

/** What a run leaves behind. */
export interface EndContext {
  readonly site: Site
  readonly history: History
  readonly durable: Durable
  readonly judge: Judge
  readonly verdict: Verdict
  /** Whether an entity waits for a host that can read it. */
  readonly isHeld: (entity: EntityId) => boolean
  /** The hosts that live, as the store knows them. */
  readonly owners: ReadonlySet<HostId | undefined>
  /** The wall clock. */
  readonly now: number
}

/** Judges a run that has come to rest: from what its store really holds. */
export async function judgeRest(context: EndContext): Promise<void> {
  const { site, history, durable, judge, verdict, isHeld, owners, now } = context
  const { length } = history.events
  const store = site.store({ written: () => {}, acquired: () => {}, rung: () => {} })
  await takeStock(recording(store, history), history)
  const held = history.events.slice(length).flatMap((event) => (event.event === 'inbox' ? event.items : []))
  const left = held.find(({ to }) => !isHeld(to) && !durable.stands(to, now))
  if (left !== undefined) verdict.broken('G16', leftBehind(left, durable))
  const idle = await idleShard(store, owners)
  if (idle !== undefined) verdict.broken('G16', `Nobody runs shard ${idle}, and hosts live that could.`)
  // What else is missed may only be late.
  const found = verdict.found === undefined ? judge.atRest() : undefined
  if (found !== undefined) verdict.find(found)
}

/**
 * Judges the history of a run. A broken guarantee comes before all else.
 *
 * @returns The place in the history at which the story ends, if that is not the end.
 */
export function judgeHistory(
  { history, verdict }: Pick<EndContext, 'history' | 'verdict'>,
  { atRest }: { readonly atRest: boolean },
): number | undefined {
  const [violation] = checkHistory(history.events, { atRest })
  if (violation === undefined || !verdict.overrule(violation.guarantee, violation.what)) return undefined
  // The turns of a write are told when its host hears of it: before the next write.
  const next = history.events.findIndex(({ event }, index) => event === 'written' && index > violation.at)
  return next === -1 ? undefined : next
}

/** A shard that whoever lives does not run, where hosts share them. */
async function idleShard(
  { shards, cluster }: StoreDriver,
  owners: ReadonlySet<HostId | undefined>,
): Promise<ShardId | undefined> {
  if (cluster === undefined) return undefined
  const leases = await cluster.leases(Array.from({ length: shards }, (_, shard) => shard))
  return leases.find(({ owner }) => !owners.has(owner))?.shard
}

function leftBehind({ id, to }: InboxItem, durable: Durable): string {
  const type = durable.envelope(id)?.type ?? id
  return `${type} waits for ${to}, which could take it, and no host does anything about it.`
}
