// overheard.ts: a client that does what it did before, and tells what is sent over it in one piece.
import type { RedisClient, RedisConnection } from '../src/client.ts'
import { isCluster } from '../src/client.ts'

/** What was sent in one piece: each command with its arguments. */
export type Piece = readonly (readonly [command: string, ...args: (string | number)[]])[]

/** @param hear - Is told each pipeline when it is sent, and over which connection. */
export function overheard<C extends RedisClient>(client: C, hear: (node: RedisConnection, piece: Piece) => void): C {
  // One for each: the driver knows connections by what they are.
  const nodes = new Map<RedisConnection, RedisConnection>()
  const nodeOf = (node: RedisConnection): RedisConnection => {
    const known = nodes.get(node) ?? instead(node, 'pipeline', () => pipelineOf(node, hear))
    nodes.set(node, known)
    return known
  }
  if (!isCluster(client)) return nodeOf(client) as C
  return instead<C>(client, 'nodes', (role: 'master' | 'all') => client.nodes(role).map(nodeOf))
}

function pipelineOf(node: RedisConnection, hear: (node: RedisConnection, piece: Piece) => void): unknown {
  const piece: (readonly [string, ...(string | number)[]])[] = []
  const pipeline = node.pipeline()
  return {
    call(command: string, args: (string | number)[]) {
      piece.push([command, ...args])
      pipeline.call(command, args)
    },
    exec() {
      hear(node, piece)
      return pipeline.exec()
    },
  }
}

/** The same with one method of ours. */
function instead<T extends object>(target: T, name: string, method: unknown): T {
  return new Proxy(target, {
    get(_, property) {
      if (property === name) return method
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
