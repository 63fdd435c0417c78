import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { describe, expect, test } from 'vitest'
import { stock } from '../src/tutorial/stock.ts'
import { start } from './program.ts'
import { temporaryFile } from './temporary.ts'

interface Delivery {
  readonly id: string
  readonly madeAt: string
  readonly quantity: number
}

const delivery = (number: number): Delivery => ({ id: `note-${number}`, madeAt: '2026-01-02T08:00:00Z', quantity: 1 })

describe('a process in front of a host', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('%s: what was acknowledged is there afterwards, once', async (signal) => {
    const path = temporaryFile()
    const first = await serving(path)
    const calls = Array.from({ length: 50 }, (_, number) => first.deliver(delivery(number)))
    await Promise.race(calls)
    const ended = once(first.child, 'exit')
    first.child.kill(signal)
    const acknowledged = (await Promise.all(calls)).filter((status) => status === 201).length
    expect((await ended)[1]).toBe(signal)

    const second = await serving(path)
    const again = await Promise.all(Array.from({ length: 50 }, (_, number) => second.deliver(delivery(number))))
    expect(again.filter((status) => status === 200).length).toBeGreaterThanOrEqual(acknowledged)
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')

    await using host = await createHost({ entities: [stock], store: sqliteStore({ path }) })
    expect((await host.read(stock.at('healing')))?.context.left).toBe(50)
  })
})

async function serving(path: string) {
  const child = start('how-to/server.ts', { folder: '.', env: { SHOP_DB: path, PORT: '0' } })
  if (child.stdout === null) throw new Error('no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { port } = JSON.parse(line.replace('listening ', '')) as { port: number }
  const deliver = async (body: Delivery): Promise<number | 'gone'> => {
    try {
      const response = await fetch(`http://localhost:${port}`, { method: 'POST', body: JSON.stringify(body) })
      return response.status
    } catch {
      return 'gone'
    }
  }
  return { child, deliver }
}
