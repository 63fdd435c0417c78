import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { describe, expect, test } from 'vitest'
import { Parcel, parcelV1, parcelV2, parcelV2Forgotten } from '../src/how-to/migration.ts'
import { temporaryFile } from './temporary.ts'

describe('a machine of a new version', () => {
  test('takes over what an old one stored, with the next message', async () => {
    const path = await packedByVersion1()
    await using host = await createHost({ entities: [parcelV2], store: sqliteStore({ path }) })
    expect(await host.read(parcelV2.at('p-1'))).toMatchObject({ value: 'packing', context: { kilos: 1.5 } })
    await host.ask(Parcel.at('p-1'), { type: 'Send' })
    expect(await host.read(parcelV2.at('p-1'))).toMatchObject({ value: 'onTheWay', context: { kilos: 1.5 } })
  })

  test('without a migration holds the entity: its messages wait, nothing is lost, others go on', async () => {
    const path = await packedByVersion1()
    const held: string[] = []
    const host = await createHost({
      entities: [parcelV2Forgotten],
      store: sqliteStore({ path }),
      onSignal: (signal) => {
        if (signal.signal === 'held') held.push(`${signal.entity} ${signal.error.code}`)
      },
    })
    await host.send(Parcel.at('p-1'), { type: 'Send' })
    await host.ask(Parcel.at('p-2'), { type: 'Pack', grams: 10 })
    await host.drain()
    expect(held).toEqual(['parcel/p-1 SNAPSHOT_VERSION_UNKNOWN'])
    await expect(host.read(parcelV2.at('p-1'))).rejects.toMatchObject({ code: 'SNAPSHOT_VERSION_UNKNOWN' })
    await host.stop()

    await using mended = await createHost({ entities: [parcelV2], store: sqliteStore({ path }) })
    await mended.drain()
    expect((await mended.read(parcelV2.at('p-1')))?.value).toBe('onTheWay')
  })
})

async function packedByVersion1(): Promise<string> {
  const path = temporaryFile()
  await using host = await createHost({ entities: [parcelV1], store: sqliteStore({ path }) })
  await host.ask(Parcel.at('p-1'), { type: 'Pack', grams: 1_500 })
  return path
}
