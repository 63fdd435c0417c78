import type { Definition } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { describe, expect, test } from 'vitest'
import { carefulDoor, Door, door, patientDoor, politeDoor } from '../src/how-to/unhandled.ts'
import { temporaryFile } from './temporary.ts'

async function opened(entity: Definition) {
  const host = await createHost({ entities: [entity], store: sqliteStore({ path: temporaryFile() }) })
  await host.ask(Door.at('front'), { type: 'Open' })
  return host
}

describe('a message that the machine has no transition for', () => {
  test('is refused by default, and the sender is told', async () => {
    await using host = await opened(door)
    await expect(host.ask(Door.at('front'), { type: 'Open' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    await expect(host.ask(Door.at('front'), { type: 'Knock' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    expect(host.counters().turns.rejected).toBe(2)
  })

  test('is done and counted where it is listed, and refused where it is not', async () => {
    await using host = await opened(politeDoor)
    expect(await host.ask(Door.at('front'), { type: 'Knock' })).toBeUndefined()
    await expect(host.ask(Door.at('front'), { type: 'Open' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    expect(host.counters().turns).toMatchObject({ ignored: 1, rejected: 1 })
  })

  test('is done and counted where the policy is to ignore', async () => {
    await using host = await opened(patientDoor)
    expect(await host.ask(Door.at('front'), { type: 'Open' })).toBeUndefined()
    expect(host.counters().turns.ignored).toBe(1)
  })

  test('stops the entity where the policy is to park; what comes after waits in order', async () => {
    await using host = await opened(carefulDoor)
    await host.send(Door.at('front'), { type: 'Knock' })
    await host.send(Door.at('front'), { type: 'Close' })
    await host.drain()
    expect(await host.read(carefulDoor.at('front'))).toMatchObject({ value: 'open', parked: expect.any(String) })
    const [standing] = await host.parked.list()
    expect(standing).toMatchObject({ entity: 'door/front', code: 'MESSAGE_REFUSED' })
    if (standing === undefined) return
    await host.parked.unpark(standing.entity, 'dead-letter')
    await host.drain()
    expect((await host.read(carefulDoor.at('front')))?.value).toBe('closed')
    expect(await host.deadLetters.list()).toMatchObject([{ message: { type: 'Knock' } }])
  })
})
