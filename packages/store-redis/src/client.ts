// client.ts: the client that the user hands over, by the few calls that are made of it.

/** Commands that are sent in one piece over one connection. */
export interface RedisPipeline {
  call(command: string, args: (string | number)[]): unknown
  exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>
}

/** One connection to one server: `Redis` of ioredis. */
export interface RedisConnection {
  readonly status: string
  readonly options: {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly db?: number | undefined
    readonly keyPrefix?: string | undefined
    readonly sentinels?: unknown
  }
  call(command: string, args: (string | number)[]): Promise<unknown>
  pipeline(): RedisPipeline
  duplicate(options: Record<string, unknown>): RedisSubscriber
  disconnect(reconnect?: boolean): void
  on(event: string, listener: (error: Error) => void): unknown
  off(event: string, listener: (error: Error) => void): unknown
}

/** A connection of our own, for subscriptions. */
export interface RedisSubscriber extends RedisConnection {
  ssubscribe(channel: string): Promise<unknown>
}

/** A client that knows the nodes of a cluster: `Cluster` of ioredis. */
export interface RedisClusterClient {
  readonly isCluster: boolean
  readonly status: string
  readonly options: {
    readonly keyPrefix?: string | undefined
    readonly scaleReads?: unknown
    readonly redisOptions?: { readonly keyPrefix?: string | undefined } | undefined
  }
  /** By slot: the nodes that hold it, its primary first, as `host:port`. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role: 'master' | 'all'): readonly RedisConnection[]
  call(command: string, args: (string | number)[]): Promise<unknown>
  on(event: string, listener: (error: Error) => void): unknown
  off(event: string, listener: (error: Error) => void): unknown
}

/** What {@link redisStore} takes: `Redis` (one server, or Sentinel) or `Cluster` of ioredis. */
export type RedisClient = RedisConnection | RedisClusterClient

export function isCluster(client: RedisClient): client is RedisClusterClient {
  return 'isCluster' in client && client.isCluster === true
}
