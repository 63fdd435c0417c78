import { defineAggregate } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { WithArktype, WithValibot, WithZod } from '../src/how-to/validators.ts'

type Context = { cents: number; currency: string }
const context: Context = { cents: 0, currency: '' }

const withZod = defineAggregate(
  WithZod,
  setup({ types: WithZod.types<Context>() }).createMachine({
    context,
    on: { Charge: { actions: assign(({ event: { cents, currency } }) => ({ cents, currency })) } },
  }),
)
const withValibot = defineAggregate(
  WithValibot,
  setup({ types: WithValibot.types<Context>() }).createMachine({
    context,
    on: { Charge: { actions: assign(({ event: { cents, currency } }) => ({ cents, currency })) } },
  }),
)
const withArktype = defineAggregate(
  WithArktype,
  setup({ types: WithArktype.types<Context>() }).createMachine({
    context,
    on: { Charge: { actions: assign(({ event: { cents, currency } }) => ({ cents, currency })) } },
  }),
)

describe('a contract refuses a bad payload and fills in a default', () => {
  test('with zod', async () => {
    await using host = await createHost({ entities: [withZod], store: memoryStore() })
    const bad = host.send(WithZod.at('1'), { type: 'Charge', cents: -1 })
    await expect(bad).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
    await host.ask(WithZod.at('1'), { type: 'Charge', cents: 5 })
    expect((await host.read(withZod.at('1')))?.context).toEqual({ cents: 5, currency: 'EUR' })
  })

  test('with valibot', async () => {
    await using host = await createHost({ entities: [withValibot], store: memoryStore() })
    const bad = host.send(WithValibot.at('1'), { type: 'Charge', cents: -1 })
    await expect(bad).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
    await host.ask(WithValibot.at('1'), { type: 'Charge', cents: 5 })
    expect((await host.read(withValibot.at('1')))?.context).toEqual({ cents: 5, currency: 'EUR' })
  })

  test('with arktype', async () => {
    await using host = await createHost({ entities: [withArktype], store: memoryStore() })
    const bad = host.send(WithArktype.at('1'), { type: 'Charge', cents: -1 })
    await expect(bad).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
    await host.ask(WithArktype.at('1'), { type: 'Charge', cents: 5 })
    expect((await host.read(withArktype.at('1')))?.context).toEqual({ cents: 5, currency: 'EUR' })
  })
})
