// A process that is stopped, deployed and killed: an HTTP door in front of a host.
// #region server
import { createServer } from 'node:http'
import { InterstateError, idempotencyKey } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Stock, stock } from '../tutorial/stock.ts'

const host = await createHost({
  entities: [stock],
  store: sqliteStore({ path: process.env.SHOP_DB ?? 'shop.db' }),
})

const server = createServer(async (request, response) => {
  try {
    const { id, madeAt, quantity } = JSON.parse(await textOf(request))
    const key = idempotencyKey(id, { at: new Date(madeAt) })
    const { duplicate } = await host.send(Stock.at('healing'), { type: 'Deliver', quantity }, { idempotencyKey: key })
    response.writeHead(duplicate ? 200 : 201).end()
  } catch (error) {
    const retryable = error instanceof InterstateError && error.retryable
    response.writeHead(retryable ? 503 : 400).end(String(error))
  }
})
server.listen(Number(process.env.PORT ?? 8080), () => console.log('listening', JSON.stringify(server.address())))

// The host stops by itself on SIGTERM; the door closes first, so that nobody is turned away half-way.
process.once('SIGTERM', () => server.close())
// #endregion

async function textOf(request: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
