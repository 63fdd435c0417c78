// names.ts: what every key is called. A persisted format.
import { type EntityId, type HostId, InterstateError, type ShardId } from '@interstate/core'
import { shardTags, slotOf } from './slots.ts'

/** The keys of one shard: all under one hash tag, so that one script reaches all of them. */
export interface ShardNames {
  readonly shard: ShardId
  readonly slot: number
  readonly record: string
  /** To be followed by the name of the entity. */
  readonly entity: string
  readonly ids: string
  readonly inbox: string
  readonly wake: string
  readonly unsettled: string
  readonly lanes: string
  readonly out: string
  readonly marks: string
  readonly keys: string
  readonly keyTimes: string
  readonly dead: string
  readonly deadIds: string
  readonly attempts: string
}

/** A key and its slot. */
export interface Place {
  readonly key: string
  readonly slot: number
}

/** The keys of what hosts know of each other. */
export interface HostNames extends Place {
  readonly identity: string
  readonly hosts: string
  readonly assignment: string
  readonly halts: string
}

/** See the file head. */
export class Names {
  readonly prefix: string
  readonly shards: readonly ShardNames[]
  readonly cluster: HostNames

  constructor(prefix: string, shards: number) {
    this.prefix = prefix
    this.shards = shardTags(prefix, shards).map(shardNames)
    const tag = `${prefix}:cluster`
    const at = (name: string): string => `{${tag}}:${name}`
    this.cluster = {
      key: at('identity'),
      slot: slotOf(tag),
      identity: at('identity'),
      hosts: at('hosts'),
      assignment: at('assignment'),
      halts: at('halts'),
    }
  }

  shard(shard: ShardId): ShardNames {
    const names = this.shards[shard]
    if (names !== undefined) return names
    const shards = this.shards.length
    throw new InterstateError('DEFINITION_INVALID', `There is no shard ${shard} of ${shards}.`, { shard, shards })
  }

  entity(shard: ShardId, entity: EntityId): string {
    return this.shard(shard).entity + entity
  }

  /** Words for a host; the bell is a channel. */
  host(host: HostId): Place & { readonly notes: string; readonly bell: string } {
    const tag = `${this.prefix}:host:${encodeURIComponent(host)}`
    return { key: `{${tag}}:notes`, slot: slotOf(tag), notes: `{${tag}}:notes`, bell: `{${tag}}:bell` }
  }
}

function shardNames(tag: string, shard: ShardId): ShardNames {
  const at = (name: string): string => `{${tag}}:${name}`
  return {
    shard,
    slot: slotOf(tag),
    record: at('shard'),
    entity: at('e:'),
    ids: at('ids'),
    inbox: at('inbox'),
    wake: at('wake'),
    unsettled: at('unsettled'),
    lanes: at('lanes'),
    out: at('out'),
    marks: at('marks'),
    keys: at('keys'),
    keyTimes: at('key-times'),
    dead: at('dead'),
    deadIds: at('dead-ids'),
    attempts: at('attempts'),
  }
}
