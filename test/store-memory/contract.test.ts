import { memoryStore } from '@interstate/store-memory'
import { storeContract } from '@interstate/testing/stores'

storeContract('memory', {
  open: () => {
    const store = memoryStore()
    return { store, reopen: async () => store }
  },
})
