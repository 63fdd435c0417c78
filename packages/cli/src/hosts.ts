// hosts.ts: `interstate hosts`: who lives, and what each one runs.
import type { Cluster, ClusterView, HostId } from '@interstate/core'
import { type Answer, type Context, shardsOf } from './answer.ts'
import { printable } from './printable.ts'
import { ranges } from './ranges.ts'
import { count, paragraphs, table } from './tables.ts'

/** What `interstate hosts` takes. */
export interface HostsOptions {
  /** How long a host may take to show a sign of life, in milliseconds. */
  readonly patienceMs: number
}

interface HostRow {
  readonly host: string
  /** Whether it gave a sign of life while we looked. */
  readonly isAlive: boolean
  readonly weight: number
  readonly pins: readonly number[]
  readonly runs: Readonly<Record<string, string>>
  /** Shards whose lease it holds. */
  readonly shards: readonly number[]
  /** Shards that it shall run. */
  readonly assigned: readonly number[]
}

const lookEveryMs = 100

/** See the file head. */
export async function hosts({ store, outside, style }: Context, { patienceMs }: HostsOptions): Promise<Answer> {
  const { name, scope, cluster, shards } = store
  if (cluster === undefined) {
    return {
      document: { store: name, scope, shards, isShared: false, hosts: [] },
      text: `One host runs all ${shards} shards of this store: it is not shared, so nothing is kept of hosts.`,
    }
  }
  const first = await cluster.view()
  const alive = await signsOfLife(cluster, first, patienceMs, outside.sleep)
  const leases = await cluster.leases(shardsOf(store))
  const { owners, version } = first.assignment
  const rows = first.hosts
    .map(({ host, weight, pins, runs }): HostRow => {
      const held = leases.filter(({ owner }) => owner === host).map(({ shard }) => shard)
      const assigned = owners.flatMap((owner, shard) => (owner === host ? [shard] : []))
      return { host, isAlive: alive.has(host), weight, pins, runs, shards: held, assigned }
    })
    .sort((one, other) => (one.host < other.host ? -1 : 1))
  const known = new Set<string>(rows.map(({ host }) => host))
  const orphans = leases.filter(({ owner }) => !known.has(owner)).map(({ shard }) => shard)
  const cells = rows.map(({ host, isAlive, weight, pins, runs, shards: held, assigned }) => [
    printable(host),
    isAlive ? style.colours.green('alive') : style.colours.red('silent'),
    weight,
    held.length,
    assigned.length,
    ranges(pins) || '-',
    printable(
      Object.entries(runs)
        .map(([type, machine]) => `${type}@${machine}`)
        .join(' '),
    ) || '-',
  ])
  return {
    document: {
      store: name,
      scope,
      shards,
      isShared: true,
      assignment: version,
      hosts: rows,
      withoutHost: orphans,
      halts: first.halts,
    },
    text: paragraphs(
      rows.length === 0
        ? 'No host has signed in.'
        : table(style, ['host', 'state', 'weight', 'shards', 'assigned', 'pins', 'runs'], cells),
      orphans.length === 0
        ? undefined
        : `${count(orphans.length, 'shard')} of ${shards} without a host: ${ranges(orphans)}`,
      first.halts.length === 0
        ? undefined
        : `${count(first.halts.length, 'shard')} stand still, see interstate shards: ${ranges(first.halts.map(({ shard }) => shard))}`,
    ),
  }
}

/** Clocks are not compared: who changes its record while we look lives. Ends early when all have. */
async function signsOfLife(
  cluster: Cluster,
  first: ClusterView,
  patienceMs: number,
  sleep: (ms: number) => Promise<void>,
): Promise<ReadonlySet<HostId>> {
  const beats = new Map(first.hosts.map(({ host, beat }) => [host, beat]))
  const alive = new Set<HostId>()
  for (let waited = 0; alive.size < beats.size && waited < patienceMs; waited += lookEveryMs) {
    await sleep(lookEveryMs)
    for (const { host, beat } of (await cluster.view()).hosts) {
      if (beats.has(host) && beats.get(host) !== beat) alive.add(host)
    }
  }
  return alive
}
