// cluster.ts: what hosts in this process know of each other.
import type { Cluster, ClusterView, Halt, HostId, HostRecord, Lease, Note, ShardId } from '@interstate/core'
import type { Ownership } from './ownership.ts'

/** See the file head. The protected methods are steps: a test breaks one and sees whether the contract suite notices. */
export class MemoryCluster implements Cluster {
  readonly #ownership: Ownership
  readonly #hosts = new Map<HostId, HostRecord>()
  readonly #notes = new Map<HostId, string[]>()
  readonly #rings = new Map<HostId, Set<() => void>>()
  readonly #halts = new Map<ShardId, Halt>()
  #assignment: ClusterView['assignment'] = { version: 0, owners: [] }

  constructor(ownership: Ownership) {
    this.#ownership = ownership
  }

  async beat(record: HostRecord): Promise<ClusterView> {
    this.#hosts.set(record.host, record)
    return this.view()
  }

  async view(): Promise<ClusterView> {
    return { hosts: [...this.#hosts.values()], assignment: this.#assignment, halts: [...this.#halts.values()] }
  }

  async assign(...[version, owners, gone]: Parameters<Cluster['assign']>): Promise<boolean> {
    if (!this.isCurrent(version) || gone.some((host) => !this.isSilent(host))) return false
    for (const { host } of gone) this.#strike(host)
    this.#assignment = { version: version + 1, owners: [...owners] }
    return true
  }

  async leave(host: HostId): Promise<void> {
    this.#strike(host)
  }

  protected isCurrent(version: number): boolean {
    return this.#assignment.version === version
  }

  /** Whether a host has said nothing since it was seen. */
  protected isSilent({ host, beat }: Pick<HostRecord, 'host' | 'beat'>): boolean {
    return this.#hosts.get(host)?.beat === beat
  }

  async halt(halt: Halt): Promise<void> {
    if (!this.#halts.has(halt.shard)) this.#halts.set(halt.shard, halt)
  }

  async resume(shard: ShardId): Promise<void> {
    this.#halts.delete(shard)
  }

  async leases(shards: readonly ShardId[]): Promise<readonly Lease[]> {
    return shards.map((shard) => this.#ownership.lease(shard))
  }

  async notify(notes: readonly Note[]): Promise<void> {
    for (const { to, text } of notes) {
      // Nobody collects what is left for a host that is gone.
      if (!this.#hosts.has(to)) continue
      const left = this.#notes.get(to) ?? []
      left.push(text)
      this.#notes.set(to, left)
    }
    for (const to of new Set(notes.map((note) => note.to))) for (const ring of this.#rings.get(to) ?? []) ring()
  }

  async collect(host: HostId): Promise<readonly string[]> {
    const left = this.#notes.get(host) ?? []
    this.#notes.delete(host)
    return left
  }

  async listen(host: HostId, ring: () => void): Promise<() => Promise<void>> {
    const rings = this.#rings.get(host) ?? new Set()
    this.#rings.set(host, rings.add(ring))
    return async () => {
      rings.delete(ring)
      if (rings.size === 0) this.#rings.delete(host)
    }
  }

  /** Nothing awaits between the look at an assignment and its change. */
  #strike(host: HostId): void {
    this.#hosts.delete(host)
    this.#notes.delete(host)
  }
}
