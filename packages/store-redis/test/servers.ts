// servers.ts: real Redis servers for tests: one, a cluster, and a bad network in front of them.
export { type ClusterClientOptions, RedisCluster, type StartClusterOptions, startCluster } from './servers/cluster.ts'
export { describeWithRedis, hasRedis } from './servers/needing.ts'
export { type Direction, RedisProxy, startProxy } from './servers/proxy.ts'
export { type ClientOptions, RedisServer, refusals, type ServerOptions, startServer } from './servers/server.ts'
