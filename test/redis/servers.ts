// servers.ts: the servers that these tests start are those of the store's own tests.
// @boundaries-ignore How servers are started is said in one place for all packages.
export * from '../../packages/store-redis/test/servers.ts'
