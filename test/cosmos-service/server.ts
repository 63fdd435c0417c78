// server.ts: the service over HTTP, on the real clock.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { carry, realClock } from './carry.ts'
import type { ServiceRequest } from './exchange.ts'
import type { CosmosService } from './service.ts'

/** A server that listens. */
export interface CosmosServer extends AsyncDisposable {
  readonly endpoint: string
}

/** @param port - 0: any that is free. */
export async function listen(service: CosmosService, port: number): Promise<CosmosServer> {
  const server = createServer((message, response) => {
    answer(service, message, response).catch((error: unknown) => {
      console.error(error)
      message.socket.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${taken}/`, [Symbol.asyncDispose]: () => closed(server) }
}

async function answer(service: CosmosService, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { fate, response: served } = await carry(service, await requestOf(message), realClock)
  switch (fate) {
    case 'connection broken':
      message.socket.destroy()
      return
    case 'silence':
      return
    case 'answered': {
      const { 'content-type': type = '', ...others } = served.headers
      const hasBody = served.status !== 204 && served.status !== 304
      response.writeHead(served.status, { ...others, ...(hasBody ? { 'content-type': type } : {}) })
      response.end(hasBody ? served.body : undefined)
      return
    }
    default:
      fate satisfies never
  }
}

async function requestOf(message: IncomingMessage): Promise<ServiceRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    origin: `http://${message.headers.host}/`,
    method: message.method ?? '',
    path: message.url ?? '/',
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
