// The same door as in server.ts, in front of a host that shares its store with others.
// #region server
import { createServer } from 'node:http'
import { InterstateError, idempotencyKey } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { Redis } from 'ioredis'
import { Stock, stock } from '../tutorial/stock.ts'

const client = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379')
const host = await createHost({
  entities: [stock],
  store: redisStore({ client, prefix: 'shop' }),
  onSignal: (signal) => {
    if (signal.signal === 'history-lost') console.error(`shard ${signal.shard} stands still: ${signal.finding}`)
  },
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
process.once('SIGTERM', () => server.close())
// #endregion

async function textOf(request: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
