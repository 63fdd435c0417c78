// membership.ts: who lives, and who shall run which shard. A heartbeat a round; time drives nothing but this.
//   B1  A record that stays the same for `detectMs` of this host's own steady clock is dead. Clocks are never compared.
//   B2  Anyone proposes, a compare-and-swap decides: there is no leader whose loss would stop the work.
//   B3  A dead host is struck off with the change that takes its shards, so that views which differ for a moment don't
//       pass shards to and fro. One that lives after all enters again with its next beat.
import { type Cluster, type ClusterView, type Env, type HostId, type HostRecord, proposeOwners } from '@interstate/core'

/** What hosts of one store agree to, and this one's part in it. */
export interface MembershipOptions {
  readonly cluster: Cluster
  readonly env: Env
  readonly shards: number
  readonly record: Omit<HostRecord, 'beat'>
  /** A host that shows no sign of life for so long is dead, in milliseconds. */
  readonly detectMs: number
}

/** What a round found. */
export interface Round {
  readonly view: ClusterView
  /** Hosts that live, this one among them. */
  readonly living: ReadonlySet<HostId>
  /** This round changed who runs what. */
  readonly changed: boolean
}

/** See the file head. */
export class Membership {
  readonly #options: MembershipOptions
  #beat = 0
  /** The last sign of life of each host, and when it was first seen here. */
  readonly #signs = new Map<HostId, { readonly beat: number; readonly since: number }>()

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Shows that this host lives, and proposes a change where one is needed. */
  async round(): Promise<Round> {
    const { cluster, record } = this.#options
    this.#beat += 1
    const view = await cluster.beat({ ...record, beat: this.#beat })
    const dead = this.#dead(view)
    const living = view.hosts.filter(({ host }) => !dead.some((each) => each.host === host))
    const hosts = new Set(living.map(({ host }) => host))
    const owners = proposeOwners(living, this.#options.shards)
    const { version } = view.assignment
    if (dead.length === 0 && isSame(owners, view.assignment.owners)) return { view, living: hosts, changed: false }
    const changed = await cluster.assign(version, owners, dead)
    if (!changed) return { view: await cluster.view(), living: hosts, changed }
    return { view: { ...view, assignment: { version: version + 1, owners } }, living: hosts, changed }
  }

  /** Leaves in good order: the others take over at once. */
  async leave(): Promise<readonly HostId[]> {
    const { cluster, record, shards } = this.#options
    await cluster.leave(record.host)
    const { hosts, assignment } = await cluster.view()
    // Whoever is faster has done the same.
    await cluster.assign(assignment.version, proposeOwners(hosts, shards), [])
    return hosts.map(({ host }) => host)
  }

  #dead({ hosts }: ClusterView): readonly HostRecord[] {
    const { env, record, detectMs } = this.#options
    const now = env.monotonic()
    const dead: HostRecord[] = []
    for (const each of hosts) {
      const sign = this.#signs.get(each.host)
      if (sign === undefined || sign.beat !== each.beat) this.#signs.set(each.host, { beat: each.beat, since: now })
      else if (each.host !== record.host && now - sign.since >= detectMs) dead.push(each)
    }
    for (const host of this.#signs.keys()) if (!hosts.some((each) => each.host === host)) this.#signs.delete(host)
    return dead
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index])
}
