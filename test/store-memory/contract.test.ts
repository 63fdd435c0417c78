import { memoryStore } from '@interstate/store-memory'
import { storeContract } from '@interstate/testing/stores'

for (const scope of ['store', 'shard'] as const)
  storeContract(`memory, scope ${scope}`, {
    scope,
    open: ({ shards }) => {
      const store = memoryStore({ scope, shards })
      return { store, reopen: async () => store }
    },
  })
