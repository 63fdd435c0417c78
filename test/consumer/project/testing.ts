// testing.ts: what the tests of a TypeScript project, or of a store of one's own, do with the packages. Checked and run.
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { checkStoreGuarantee, storeContract, storeGuarantees } from '@interstate/testing/stores'

const env = new VirtualEnv({ seed: 7 })
const begin = env.now()
await env.advance(60_000)
console.log(
  env.now() - begin,
  typeof storeContract,
  typeof checkStoreGuarantee,
  storeGuarantees.length > 0,
  memoryStore().name,
)
