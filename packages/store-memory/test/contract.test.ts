import { storeContract } from '@interstate/testing'
import { memoryStore } from '../src/index.ts'

storeContract('memory', {
  open: () => {
    const store = memoryStore()
    return { store, reopen: async () => store }
  },
})
