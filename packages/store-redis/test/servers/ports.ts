// ports.ts: ports that nobody listens on.
//   R1  None that the system hands to outgoing connections: a client that knocks at a dead server's port could be given
//       that very port for its own end, and so be connected with itself.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Linux gives 32,768 and more to outgoing connections, macOS 49,152 and more. */
const first = 10_000
const last = 32_000

const handedOut = new Set<number>()

/** A port that is free now, another with each call. Another process may still be faster: try again then. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, last)
    if (handedOut.has(port)) continue
    handedOut.add(port)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch {
    return false
  }
  probe.close()
  await once(probe, 'close')
  return true
}
