import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { fulfilment, Order, order, Payment, payment } from '../src/readme.ts'
import { temporaryFile } from './temporary.ts'

const minute = 60_000
const entities = [order, payment, fulfilment]

test('an order is paid when the customer confirms, and given up half an hour after it was submitted otherwise', async () => {
  const env = new VirtualEnv()
  await using host = await createHost({ entities, store: sqliteStore({ path: temporaryFile() }), env })
  await host.send(Order.at('prompt'), { type: 'Submit', cents: 1_200 })
  await host.send(Order.at('silent'), { type: 'Submit', cents: 1_200 })
  await host.drain()
  await env.advance(29 * minute)
  await host.ask(Payment.at('prompt'), { type: 'Confirm' })
  await env.advance(minute)
  expect((await host.read(fulfilment.at('prompt')))?.value).toBe('paid')
  expect((await host.read(fulfilment.at('silent')))?.value).toBe('unpaid')
  expect((await host.read(payment.at('silent')))?.value).toBe('cancelled')
})
