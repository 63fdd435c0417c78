// ports/cluster.ts: what hosts that share a store know of each other: who lives, who shall run which shard, a word now and then.
// None of it is needed for a guarantee: leases and versions hold whatever stands here. It makes the work go on.
import type { HostId } from '../address.ts'
import type { ShardId } from '../routing.ts'
import type { Lease } from './store.ts'

/** What a host says of itself. */
export interface HostRecord {
  readonly host: HostId
  /** Another with each sign of life. Nobody compares clocks: a record that stays the same for too long is dead. */
  readonly beat: number
  /** Its share of the work, relative to others; 0 takes only what is pinned. */
  readonly weight: number
  /** Shards that are its own as long as it lives. */
  readonly pins: readonly ShardId[]
  /** Entity types that it can run, each with the version of its machine. */
  readonly runs: Readonly<Record<string, string>>
}

/** Who shall run each shard. */
export interface Assignment {
  /** One more with each change; 0 for none yet. */
  readonly version: number
  /** By shard; shorter than P, or with gaps, where nobody was chosen. */
  readonly owners: readonly (HostId | null)[]
}

/** A shard that stands still because its store lost history (G15). No host runs it until a person decides. */
export interface Halt {
  readonly shard: ShardId
  /** What was found. */
  readonly finding: string
}

/** What is known of all hosts. */
export interface ClusterView {
  readonly hosts: readonly HostRecord[]
  readonly assignment: Assignment
  readonly halts: readonly Halt[]
}

/** A word to a host: a hint, or an answer that somebody waits for. It may be lost, and comes late then. */
export interface Note {
  readonly to: HostId
  readonly text: string
}

/** See the file head. All methods reject as those of a `StoreDriver` do. */
export interface Cluster {
  /** Writes the record of a host in the place of its last one, and gives what is known then. */
  beat(record: HostRecord): Promise<ClusterView>
  view(): Promise<ClusterView>
  /**
   * Changes the assignment and strikes off hosts, all or nothing: only where the assignment still has this version and
   * each of the hosts still shows this very beat. `false` when it has not.
   */
  assign(
    version: number,
    owners: readonly (HostId | null)[],
    gone: readonly Pick<HostRecord, 'host' | 'beat'>[],
  ): Promise<boolean>
  /** Strikes off a host that stops. */
  leave(host: HostId): Promise<void>
  /** Notes that a shard stands still; the first finding stands. */
  halt(halt: Halt): Promise<void>
  /** Lets a shard run again, see `Lanes.rebase`. */
  resume(shard: ShardId): Promise<void>
  /** The present lease of each shard, in the order asked: epoch 0 where nobody ever took it. */
  leases(shards: readonly ShardId[]): Promise<readonly Lease[]>
  /** Leaves words for hosts and rings at them. */
  notify(notes: readonly Note[]): Promise<void>
  /** Takes the words that were left for a host, oldest first. */
  collect(host: HostId): Promise<readonly string[]>
  /** Calls back when words are left for a host. A ring may be lost: look now and then. Gives a function that stops it. */
  listen(host: HostId, ring: () => void): Promise<() => Promise<void>>
}
