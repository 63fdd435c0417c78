// redis-server.ts: a Redis server for as long as this example runs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'

/** A server that is ours. */
export interface OwnServer {
  readonly url: string
  stop(): void
}

/** Starts one on a free port; `undefined` where none is installed. */
export async function startOwnServer(): Promise<OwnServer | undefined> {
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn(process.env.REDIS_SERVER || 'redis-server', settings, { stdio: 'ignore' })
  const stop = (): void => void server.kill('SIGKILL')
  const started = await once(server, 'spawn').then(
    () => true,
    () => false,
  )
  if (!started) return undefined
  process.once('exit', stop)
  const url = `redis://127.0.0.1:${port}`
  const ended = once(server, 'exit').then(() => {
    throw new Error('redis-server ended by itself: is it older than 7.0?')
  })
  ended.catch(() => {})
  await Promise.race([answers(url), ended])
  return { url, stop }
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null }).on('error', () => {})
  try {
    await client.ping()
  } finally {
    client.disconnect()
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('There is no free port.')
  return address.port
}
