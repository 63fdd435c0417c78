// cluster.ts: what hosts in this process know of each other.
import type { Cluster, ClusterView, HostId, HostRecord, Lease, Note, ShardId } from '@interstate/core'
import type { Ownership } from './ownership.ts'

/** See the file head. */
export class MemoryCluster implements Cluster {
  readonly #ownership: Ownership
  readonly #hosts = new Map<HostId, HostRecord>()
  readonly #notes = new Map<HostId, string[]>()
  readonly #rings = new Map<HostId, Set<() => void>>()
  #assignment: ClusterView['assignment'] = { version: 0, owners: [] }

  constructor(ownership: Ownership) {
    this.#ownership = ownership
  }

  async beat(record: HostRecord): Promise<ClusterView> {
    this.#hosts.set(record.host, record)
    return this.view()
  }

  async view(): Promise<ClusterView> {
    return { hosts: [...this.#hosts.values()], assignment: this.#assignment }
  }

  async assign(...[version, owners, gone]: Parameters<Cluster['assign']>): Promise<boolean> {
    if (this.#assignment.version !== version) return false
    if (gone.some(({ host, beat }) => this.#hosts.get(host)?.beat !== beat)) return false
    for (const { host } of gone) await this.leave(host)
    this.#assignment = { version: version + 1, owners: [...owners] }
    return true
  }

  async leave(host: HostId): Promise<void> {
    this.#hosts.delete(host)
    this.#notes.delete(host)
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
}
