// formation.ts: makes a cluster of servers that know nothing of each other.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from './server.ts'

const slots = 16_384
const patienceMs = 20_000

/** Makes the first ones masters and the others their replicas in turn. Gives the id of each node. */
export async function form(
  nodes: readonly RedisServer[],
  masterCount: number,
): Promise<ReadonlyMap<RedisServer, string>> {
  const masters = nodes.slice(0, masterCount)
  const ids = new Map<RedisServer, string>()
  for (const node of nodes) ids.set(node, String(await node.run('CLUSTER', 'MYID')))
  for (const [index, node] of nodes.entries()) {
    // Epochs that differ from the beginning spare the nodes a quarrel.
    await node.run('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  }
  for (const [index, master] of masters.entries()) {
    const first = Math.floor((slots * index) / masterCount)
    const last = Math.floor((slots * (index + 1)) / masterCount) - 1
    await master.run('CLUSTER', 'ADDSLOTSRANGE', first, last)
  }
  await introduce(nodes)
  for (const [index, node] of nodes.slice(masterCount).entries()) {
    const master = masters[index % masterCount]
    if (master !== undefined) await node.run('CLUSTER', 'REPLICATE', ids.get(master) ?? '')
  }
  return ids
}

async function introduce(nodes: readonly RedisServer[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    // Each to each: to leave it to gossip takes seconds.
    for (const other of nodes.slice(index + 1)) {
      await node.run('CLUSTER', 'MEET', '127.0.0.1', other.port, other.busPort)
    }
  }
  for (const deadline = performance.now() + patienceMs; ; await sleep(20)) {
    const views = await Promise.all(nodes.map(async (node) => String(await node.run('CLUSTER', 'NODES'))))
    if (views.every((view) => view.trim().split('\n').length === nodes.length && !view.includes('handshake'))) return
    if (performance.now() > deadline) throw new Error(`The nodes did not meet within ${patienceMs} ms.`)
  }
}
