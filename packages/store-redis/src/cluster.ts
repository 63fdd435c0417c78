// cluster.ts: what hosts that share the store know of each other.
import { randomUUID } from 'node:crypto'
import type { Assignment, Cluster, ClusterView, Halt, HostId, HostRecord, Lease, Note, ShardId } from '@interstate/core'
import { listen } from './bells.ts'
import type { Command, Courier } from './courier.ts'
import { plain, type Reader, scripted } from './reader.ts'
import { assign } from './scripts/assign.ts'
import { beat } from './scripts/beat.ts'
import { look } from './scripts/look.ts'
import { notify } from './scripts/notify.ts'
import type { Ground } from './writer.ts'

/** Words for a host that nobody collects: the newest are kept, for a while. */
const [mostNotes, notesForMs] = [10_000, 3_600_000]

type ViewAnswer = readonly [string[], readonly [string | null, string | null], string[]]

/** See the file head. */
export class RedisCluster implements Cluster {
  readonly #open: () => Promise<ClusterPorts>

  /** What stops each connection that listens. */
  readonly #stops: Set<() => Promise<void>>

  /** @param open - Opens the store, on first use. */
  constructor(open: () => Promise<ClusterPorts>, stops: Set<() => Promise<void>>) {
    this.#open = open
    this.#stops = stops
  }

  async beat(record: HostRecord): Promise<ClusterView> {
    const { keys, ground } = await this.#keys()
    const command = scripted(beat, keys, record.host, record.beat, JSON.stringify(record))
    return viewOf((await this.#write(ground, command)) as ViewAnswer)
  }

  async view(): Promise<ClusterView> {
    const { keys, ground } = await this.#keys()
    return viewOf((await ground.courier.read(ground.names.cluster.slot, scripted(look, keys))) as ViewAnswer)
  }

  async assign(...[version, owners, gone]: Parameters<Cluster['assign']>): Promise<boolean> {
    const { keys, ground } = await this.#keys()
    const struck = gone.flatMap(({ host, beat }) => [host, beat])
    const command = scripted(assign, keys, randomUUID(), version, JSON.stringify(owners), ...struck)
    return (await this.#write(ground, command)) === 1
  }

  async leave(host: HostId): Promise<void> {
    const { ground } = await this.#keys()
    await this.#write(ground, plain('HDEL', ground.names.cluster.hosts, host))
  }

  async halt({ shard, finding }: Halt): Promise<void> {
    const { ground } = await this.#keys()
    await this.#write(ground, plain('HSETNX', ground.names.cluster.halts, shard, finding))
  }

  async resume(shard: ShardId): Promise<void> {
    const { ground } = await this.#keys()
    await this.#write(ground, plain('HDEL', ground.names.cluster.halts, shard))
  }

  async leases(shards: readonly ShardId[]): Promise<readonly Lease[]> {
    const { reader } = await this.#open()
    const rows = await reader.each<readonly (string | null)[]>(shards, ({ record }) =>
      plain('HMGET', record, 'epoch', 'runner'),
    )
    return shards.map((shard, index) => {
      const [epoch, runner] = rows[index] ?? []
      return { shard, epoch: Number(epoch ?? 0), owner: (runner ?? '') as HostId }
    })
  }

  async notify(notes: readonly Note[]): Promise<void> {
    const { ground } = await this.#open()
    const lines = [...Map.groupBy(notes, ({ to }) => to)].map(([host, some]) => {
      const { slot, notes, bell } = ground.names.host(host)
      const texts = some.map(({ text }) => text)
      return { slot, commands: [scripted(notify, [notes, bell], mostNotes, notesForMs, ...texts)] }
    })
    await ground.courier.send(lines, { writes: true })
  }

  async collect(host: HostId): Promise<readonly string[]> {
    const { ground } = await this.#open()
    const { slot, notes } = ground.names.host(host)
    const line = { slot, commands: [plain('LPOP', notes, mostNotes)] }
    const { answers } = await ground.courier.send([line], { writes: true })
    return (answers[0]?.[0] as readonly string[] | null) ?? []
  }

  async listen(host: HostId, ring: () => void): Promise<() => Promise<void>> {
    const { ground } = await this.#open()
    const hang = await listen(ground, host, ring)
    const stop = async (): Promise<void> => {
      this.#stops.delete(stop)
      await hang()
    }
    this.#stops.add(stop)
    return stop
  }

  async #keys(): Promise<{ readonly ground: Ground; readonly keys: readonly string[] }> {
    const { ground } = await this.#open()
    const { hosts, assignment, halts } = ground.names.cluster
    return { ground, keys: [hosts, assignment, halts] }
  }

  /** Nothing rests on what stands here, so no replica is waited for. */
  async #write(
    { courier, names }: { readonly courier: Courier; readonly names: Ground['names'] },
    command: Command,
  ): Promise<unknown> {
    const { answers } = await courier.send([{ slot: names.cluster.slot, commands: [command] }], { writes: true })
    return answers[0]?.[0]
  }
}

/** What this part needs of an open store. */
export interface ClusterPorts {
  readonly ground: Ground
  readonly reader: Reader
}

function viewOf([records, [version, owners], halts]: ViewAnswer): ClusterView {
  const assignment: Assignment = { version: Number(version ?? 0), owners: owners === null ? [] : JSON.parse(owners) }
  return {
    hosts: records.map((record): HostRecord => JSON.parse(record.slice(record.indexOf(' ') + 1))),
    assignment,
    halts: Array.from({ length: halts.length / 2 }, (_, index): Halt => {
      return { shard: Number(halts[2 * index]), finding: halts[2 * index + 1] ?? '' }
    }),
  }
}
