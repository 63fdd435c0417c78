// storage.ts: the items of one container, with as much of their past as somebody may still read.
// A container is one physical partition: one log sequence number (LSN) counts its writes, and all writes of one
// transaction share theirs, so that no reader at any LSN sees half of it.
import type { Weighed } from './charges.ts'
import type { JsonObject } from './json.ts'
import { nameOf, type PartitionKey } from './partition-key.ts'

/** An item as of one write. */
export interface Version extends Weighed {
  readonly lsn: number
  /** `undefined`: deleted by this write. */
  readonly item: JsonObject | undefined
  readonly etag: string
  /** Stays with an item while it lives. */
  readonly rid: string
}

export interface StoredItem extends Version {
  readonly item: JsonObject
}

export interface LogicalPartition {
  readonly key: PartitionKey
  readonly name: string
  /** Oldest version first. */
  readonly items: Map<string, Version[]>
}

/** A change that is to be written. */
export interface Change {
  readonly id: string
  readonly version: Omit<Version, 'lsn'>
}

/** See the file head. */
export class Storage {
  readonly partitions = new Map<string, LogicalPartition>()
  lsn = 0
  /** How often history was taken back. */
  rollbacks = 0
  readonly #keepMs: number
  readonly #marks = new Set<number>()
  /** When LSNs came to be; the first one stands for all before. */
  #times: { lsn: number; at: number }[] = [{ lsn: 0, at: Number.NEGATIVE_INFINITY }]
  /** What has a newer version, in the order of that. */
  #superseded: { partition: string; id: string; lsn: number }[] = []

  /** @param keepMs - How far back readers look. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  partition(key: PartitionKey): LogicalPartition | undefined {
    return this.partitions.get(nameOf(key))
  }

  /** The item as of an LSN. */
  find(partition: LogicalPartition | undefined, id: string, lsn = this.lsn): StoredItem | undefined {
    const version = partition?.items.get(id)?.findLast((candidate) => candidate.lsn <= lsn)
    return version !== undefined && isStored(version) ? version : undefined
  }

  /** All items of a partition as of an LSN, by resource id. */
  all(partition: LogicalPartition, lsn = this.lsn): readonly StoredItem[] {
    const found = [...partition.items.keys()].flatMap((id) => this.find(partition, id, lsn) ?? [])
    return found.sort((left, right) => (left.rid < right.rid ? -1 : 1))
  }

  /** Writes all changes as one: readers see all or none. */
  write(key: PartitionKey, changes: readonly Change[], now: number): number {
    this.lsn += 1
    this.#times.push({ lsn: this.lsn, at: now })
    const name = nameOf(key)
    const partition = this.partitions.get(name) ?? { key, name, items: new Map() }
    this.partitions.set(name, partition)
    for (const { id, version } of changes) {
      const versions = partition.items.get(id) ?? []
      // Of two writes of one transaction nobody ever sees the first.
      if (versions.at(-1)?.lsn === this.lsn) versions.pop()
      if (versions.length > 0 || version.item === undefined) {
        this.#superseded.push({ partition: name, id, lsn: this.lsn })
      }
      versions.push({ ...version, lsn: this.lsn })
      partition.items.set(id, versions)
    }
    this.#forget(now)
    return this.lsn
  }

  /** The LSN that a replica had reached which lags by so much. */
  lsnAt(at: number): number {
    return this.#times.findLast((time) => time.at <= at)?.lsn ?? 0
  }

  /** Keeps all that is needed to come back to where the container is now. */
  mark(): { readonly lsn: number; release(): void } {
    const { lsn } = this
    this.#marks.add(lsn)
    return { lsn, release: () => this.#marks.delete(lsn) }
  }

  /** Takes back what was written after an LSN, everywhere or in one logical partition. */
  rollBack(lsn: number, only?: PartitionKey): void {
    if (lsn < this.#horizon) throw new Error(`The past before LSN ${this.#horizon} is not kept: mark it beforehand.`)
    if (lsn > this.lsn) throw new Error(`LSN ${lsn} has not been reached: history goes back, not forward.`)
    const name = only === undefined ? undefined : nameOf(only)
    for (const partition of this.partitions.values()) {
      if (name !== undefined && partition.name !== name) continue
      for (const [id, versions] of partition.items) {
        const kept = versions.filter((version) => version.lsn <= lsn)
        if (kept.length === 0) partition.items.delete(id)
        else partition.items.set(id, kept)
      }
    }
    if (name !== undefined) return
    this.lsn = lsn
    this.rollbacks += 1
    for (const marked of this.#marks) if (marked > lsn) this.#marks.delete(marked)
    const known = this.#times.filter((time) => time.lsn <= lsn)
    this.#times = known.length > 0 ? known : [{ lsn, at: Number.NEGATIVE_INFINITY }]
    this.#superseded = this.#superseded.filter((entry) => entry.lsn <= lsn)
  }

  /** Nothing older than this LSN can be read any more. */
  #horizon = 0

  #forget(now: number): void {
    let stale = 0
    while ((this.#times[stale + 1]?.at ?? Number.POSITIVE_INFINITY) <= now - this.#keepMs) stale += 1
    this.#horizon = Math.max(this.#horizon, Math.min(this.#times[stale]?.lsn ?? 0, ...this.#marks))
    // Not one by one: each cut moves all that stays.
    if (stale >= 64) this.#times.splice(0, stale)
    let done = 0
    for (const { partition, id, lsn } of this.#superseded) {
      if (lsn > this.#horizon) break
      done += 1
      this.#forgetBefore(partition, id, lsn)
    }
    if (done > 0) this.#superseded.splice(0, done)
  }

  #forgetBefore(name: string, id: string, lsn: number): void {
    const partition = this.partitions.get(name)
    const versions = partition?.items.get(id)
    if (partition === undefined || versions === undefined) return
    while ((versions[1]?.lsn ?? Number.POSITIVE_INFINITY) <= lsn) versions.shift()
    if (versions.length === 1 && versions[0]?.item === undefined) partition.items.delete(id)
    if (partition.items.size === 0) this.partitions.delete(name)
  }
}

function isStored(version: Version): version is StoredItem {
  return version.item !== undefined
}
