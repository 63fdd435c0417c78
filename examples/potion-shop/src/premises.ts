// premises.ts: where a shop is: in a file, or in a Redis, and what it keeps in files beside.
import { hash } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type SharedPlace, SharedStore } from './shared-store.ts'
import { clearAway, filesBeside, type ShopFiles } from './shop-files.ts'
import { nameOf, type StoreAddress } from './store-address.ts'

/** See the file head. */
export interface Premises {
  readonly files: ShopFiles
  /** For a shop in Redis. */
  readonly place: SharedPlace | undefined
  /** Leaves nothing behind. */
  clear(): Promise<void>
}

/** The shop that goes on from day to day. @param data - A folder for the files beside a Redis. */
export async function shopAt(address: StoreAddress, data: string): Promise<Premises> {
  const files = filesBeside(address.kind === 'file' ? address.path : join(data, nameOf(address).replace(/\W+/g, '-')))
  await mkdir(dirname(files.store), { recursive: true })
  // Order book and ledger go with it: another checkout has others, and so another shop in the same Redis.
  const place = await placeIn(address, `potion-shop-${hash('sha1', files.store).slice(0, 8)}`)
  const clear = async (): Promise<void> => {
    if (place !== undefined) await clearOut(place)
    await clearAway(files)
  }
  return { files, place, clear }
}

/** A shop for one day of chaos: in the temporary folder, or in the same Redis under a name of its own. */
export async function shopForChaos(address: StoreAddress): Promise<Premises> {
  const folder = await mkdtemp(join(tmpdir(), 'potion-shop-'))
  const place = await placeIn(address, basename(folder)).catch(async (error: unknown) => {
    await rm(folder, { recursive: true })
    throw error
  })
  const clear = async (): Promise<void> => {
    if (place !== undefined) await clearOut(place)
    await rm(folder, { recursive: true })
  }
  return { files: filesBeside(join(folder, 'shop.db')), place, clear }
}

/** @throws StoreMissing before anything else is done. */
async function placeIn(address: StoreAddress, prefix: string): Promise<SharedPlace | undefined> {
  if (address.kind === 'file') return undefined
  const place = { address, prefix }
  const store = new SharedStore(place)
  try {
    await store.try()
  } finally {
    store.close()
  }
  return place
}

async function clearOut(place: SharedPlace): Promise<void> {
  const store = new SharedStore(place)
  await store.clear()
  store.close()
}
