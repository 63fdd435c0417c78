// structure.ts: a fingerprint of a machine's states, so that a snapshot of another machine is noticed.
import { hash } from 'node:crypto'
import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** 64 bits over the ids and types of all state nodes, in document order. Guards, actions and texts don't count. */
export function structureOf(machine: AnyStateMachine): string {
  return hash('sha256', statesOf(machine.root).map(describe).join('\n'), 'base64url').slice(0, 11)
}

/** All state nodes of a machine, parents before children. */
export function statesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states as Record<string, AnyStateNode>).flatMap(statesOf)]
}

function describe(node: AnyStateNode): string {
  return `${node.path.join('.')} ${node.type} ${String(node.history)}`
}
