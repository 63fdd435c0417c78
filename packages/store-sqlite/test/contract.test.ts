import { storeContract } from '@interstate/testing/stores'
import { sqliteStore } from '../src/index.ts'
import { temporaryFile } from './temporary.ts'

storeContract('sqlite', {
  open: () => {
    const path = temporaryFile()
    let store = sqliteStore({ path })
    const reopen = async () => {
      await store.close()
      store = sqliteStore({ path })
      return store
    }
    return { store, reopen }
  },
})
