// shared-store.ts: the shop's part of a Redis that others may use as well.
import { InterstateError, type StoreDriver } from '@interstate/core'
import { redisStore } from '@interstate/store-redis'
import { Cluster as RedisCluster } from 'ioredis'
import { connect, nameOf, type SharedAddress } from './store-address.ts'

/** Where in it the shop is. */
export interface SharedPlace {
  readonly address: SharedAddress
  /** What all its keys begin with. */
  readonly prefix: string
}

// Fewer than the default: this shop will never be run by hundreds of hosts, and each look at a shard is a command.
const shards = 64
const connectTimeoutMs = 3_000

/** See the file head. */
export class SharedStore {
  readonly #place: SharedPlace
  readonly #client: ReturnType<typeof connect>

  constructor(place: SharedPlace) {
    this.#place = place
    this.#client = connect(place.address)
  }

  /** A store for one host, or for one who only looks. */
  driver(): StoreDriver {
    return redisStore({ client: this.#client, prefix: this.#place.prefix, shards, connectTimeoutMs })
  }

  /** Looks whether it is there and will do. */
  async try(): Promise<void> {
    const name = nameOf(this.#place.address)
    const driver = this.driver()
    try {
      const failed = (await driver.probe()).filter(({ passed }) => !passed)
      if (failed.length > 0)
        throw new StoreMissing(`${name} will not do. ${failed.map((each) => each.finding).join(' ')}`)
    } catch (error) {
      if (!(error instanceof InterstateError) || error.code !== 'STORE_FAILED') throw error
      throw new StoreMissing(missing(name, error.cause instanceof Error ? error.cause.message : ''))
    } finally {
      await driver.close()
    }
  }

  /** Deletes the shop. */
  async clear(): Promise<void> {
    await this.#client.ping()
    const nodes = this.#client instanceof RedisCluster ? this.#client.nodes('master') : [this.#client]
    for (const node of nodes) {
      for await (const keys of node.scanStream({ match: `{${this.#place.prefix}:*`, count: 1_000 })) {
        await Promise.all((keys as string[]).map((key) => this.#client.unlink(key)))
      }
    }
  }

  close(): void {
    this.#client.disconnect()
  }
}

/** The store is not there, or not fit for use: nothing has happened. */
export class StoreMissing extends Error {
  override readonly name = 'StoreMissing'
}

function missing(name: string, why: string): string {
  if (/NOAUTH|WRONGPASS/.test(why))
    return `${name} wants a password, another than the one given: redis://:password@host:6379.`
  const remedy =
    'Start one, for example with `redis-server`, or leave --store out: the shop then keeps its state in a file.'
  return `No Redis answers at ${name}${why && ` (${why})`}. ${remedy}`
}
