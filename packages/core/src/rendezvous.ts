// rendezvous.ts: proposes who shall run each shard. Every host comes to the same proposal from the same records, and a
// change of hosts moves no more shards than it must. Highest random weight: Thaler and Ravishankar 1998; the weighting
// is that of Schindelhauer and Schomaker 2005. A proposal grants nothing: a compare-and-swap decides, and leases fence.
import { hash } from 'node:crypto'
import type { HostId } from './address.ts'
import type { HostRecord } from './ports/cluster.ts'
import type { ShardId } from './routing.ts'

/**
 * Who shall run each shard.
 *
 * - A shard goes to a host that pins it, if one lives. Others are spread by weight; a host of weight 0 takes none.
 * - A host that lacks an entity type which another one runs, or has an older machine of it, takes no shard: messages of
 *   that type would wait there. Where no host has everything, those with most types share the shards.
 *
 * @returns By shard; `null` where nobody can take it.
 */
export function proposeOwners(hosts: readonly HostRecord[], shards: number): readonly (HostId | null)[] {
  const able = ableHosts(hosts)
  const pinned = new Map<ShardId, HostRecord[]>()
  for (const host of able) for (const shard of host.pins) pinned.set(shard, [...(pinned.get(shard) ?? []), host])
  return Array.from({ length: shards }, (_, shard) => {
    const own = pinned.get(shard)
    return own === undefined ? highest(able, shard) : highest(own.map(asOne), shard)
  })
}

/** Hosts that can run everything that any of them runs, or else those that come closest. */
function ableHosts(hosts: readonly HostRecord[]): readonly HostRecord[] {
  const newest = new Map<string, string>()
  for (const { runs } of hosts) {
    for (const [type, version] of Object.entries(runs)) {
      const known = newest.get(type)
      if (known === undefined || isNewer(version, known)) newest.set(type, version)
    }
  }
  const reach = ({ runs }: HostRecord): number => {
    let count = 0
    for (const [type, version] of newest) if (runs[type] === version) count += 1
    return count
  }
  const most = Math.max(0, ...hosts.map(reach))
  return hosts.filter((host) => reach(host) === most)
}

/** Numbers within versions count as numbers: 10 is newer than 9, 1.10 than 1.9. */
function isNewer(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) > 0
}

/** Where only those that pin it are asked, their weight for other shards says nothing. */
function asOne(host: HostRecord): HostRecord {
  return host.weight > 0 ? host : { ...host, weight: 1 }
}

function highest(hosts: readonly HostRecord[], shard: ShardId): HostId | null {
  let best: HostId | null = null
  let bestScore = Number.NEGATIVE_INFINITY
  for (const { host, weight } of hosts) {
    if (weight <= 0) continue
    const score = -weight / Math.log(drawn(host, shard))
    if (score > bestScore || (score === bestScore && best !== null && host < best)) {
      best = host
      bestScore = score
    }
  }
  return best
}

/** Between 0 and 1, both excluded: the first 52 bits of SHA-256 over shard and host. */
function drawn(host: HostId, shard: ShardId): number {
  return (Number.parseInt(hash('sha256', `${shard}\n${host}`, 'hex').slice(0, 13), 16) + 0.5) / 2 ** 52
}
