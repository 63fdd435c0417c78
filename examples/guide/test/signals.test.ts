import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { expect, test } from 'vitest'
import { all, healthOf, logTo, measureWith } from '../src/how-to/signals.ts'
import { Stock, stock } from '../src/tutorial/stock.ts'
import { temporaryFile } from './temporary.ts'

test('each turn becomes a log line and a measurement once it is durable', async () => {
  const lines: string[] = []
  const line = (level: string) => (_: object, text: string) => void lines.push(`${level} ${text}`)
  const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const added: string[] = []
  const meter = {
    createCounter: (name: string) => ({
      add: (value: number, attributes?: Record<string, string>) =>
        void added.push(`${name} ${value} ${JSON.stringify(attributes)}`),
    }),
    createHistogram: (name: string) => ({ record: (value: number) => void added.push(`${name} ${typeof value}`) }),
  }
  const host = await createHost({
    entities: [stock],
    store: sqliteStore({ path: temporaryFile() }),
    onSignal: all(logTo(logger), measureWith(meter)),
  })
  await host.ask(Stock.at('healing'), { type: 'Deliver', quantity: 12 })
  await host.drain()
  expect(healthOf(host)).toEqual({ handled: 1, deadLetters: 0 })
  await host.stop()
  expect(lines).toEqual(['info started', 'debug turn', 'debug committed', 'info stopped'])
  expect(added).toEqual([
    'interstate.turns 1 {"type":"Deliver","outcome":"handled"}',
    'interstate.group.turns number',
    'interstate.group.ms number',
  ])
})
