// chart.ts: a machine's states and the ways between them, guards taken for passable.
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { matches } from '../descriptor.ts'
import { statesOf } from '../structure.ts'

/** A way out of a state, or one that stays in it. */
export interface Edge {
  readonly source: AnyStateNode
  /** The key of `on`, or XState's own name of a timer, a result, an end; empty for `always`. */
  readonly key: string
  readonly guarded: boolean
  readonly actions: readonly unknown[]
  /** `undefined` where it stays. */
  readonly targets: readonly AnyStateNode[] | undefined
  readonly reenter: boolean
}

/** What happens at once: states are left and entered. */
export interface Step {
  /** `undefined` for the birth. */
  readonly edge: Edge | undefined
  readonly left: readonly AnyStateNode[]
  readonly entered: readonly AnyStateNode[]
  /** In order: exits, the way's own, entries. */
  readonly actions: readonly unknown[]
}

/** See the file head. */
export class Chart {
  readonly nodes: readonly AnyStateNode[]
  /** States that some way leads to, from the beginning on. */
  readonly reached: ReadonlySet<AnyStateNode>
  readonly birth: Step
  /** The birth, and a step for each way out of a state that is reached. */
  readonly steps: readonly Step[]
  readonly #edges: ReadonlyMap<AnyStateNode, readonly Edge[]>
  readonly #stepOf = new Map<Edge, Step>()
  readonly #waysOut = new Map<AnyStateNode, readonly Edge[]>()
  readonly #atRest = new Map<AnyStateNode, boolean>()
  readonly #taken = new Map<AnyStateNode, readonly string[]>()

  constructor(machine: AnyStateMachine) {
    this.nodes = statesOf(machine.root)
    this.#edges = new Map(this.nodes.map((node) => [node, edgesOf(node)]))
    const entered = enter(machine.root, [])
    this.birth = { edge: undefined, left: [], entered, actions: entriesOf(entered) }
    this.reached = this.#reach()
    this.steps = [this.birth, ...[...this.reached].flatMap((node) => this.edges(node)).map((edge) => this.step(edge))]
  }

  edges(node: AnyStateNode): readonly Edge[] {
    return this.#edges.get(node) ?? []
  }

  /** What taking this way does. */
  step(edge: Edge): Step {
    return remembered(this.#stepOf, edge, () => {
      const left = this.#left(edge)
      const entered = enteredBy(edge)
      return {
        edge,
        left,
        entered,
        actions: [...left.flatMap(({ exit }) => exit), ...edge.actions, ...entriesOf(entered)],
      }
    })
  }

  /** Ways out of a leaf: its own and those of the states around it. */
  waysOut(leaf: AnyStateNode): readonly Edge[] {
    return remembered(this.#waysOut, leaf, () => (isEnd(leaf) ? [] : around(leaf).flatMap((node) => this.edges(node))))
  }

  /** Where a way leads from a leaf: to that leaf itself where it stays. */
  leavesAfter(leaf: AnyStateNode, edge: Edge): readonly AnyStateNode[] {
    const { entered } = this.step(edge)
    return entered.length === 0 ? [leaf] : entered.filter(isLeaf)
  }

  /** Whether an entity may be found in this leaf between two messages. */
  isAtRest(leaf: AnyStateNode): boolean {
    const leaves = ({ key, guarded, targets }: Edge): boolean => key === '' && !guarded && targets !== undefined
    return remembered(this.#atRest, leaf, () => !this.waysOut(leaf).some(leaves))
  }

  /** Whether a message finds a transition while this leaf is active, be it in a region beside it. */
  takes(leaf: AnyStateNode, type: string): boolean {
    const keys = remembered(this.#taken, leaf, () => {
      const active = isEnd(leaf) ? [] : this.#activeWith(leaf)
      return [...new Set(active.flatMap((node) => this.edges(node).map(({ key }) => key)))]
    })
    return keys.some((key) => key !== '' && matches(key, type))
  }

  /** Where an entity may be after a step, before eventless ways are taken. */
  leavesOf({ edge, entered }: Step): readonly AnyStateNode[] {
    if (entered.length > 0 || edge === undefined) return entered.filter(isLeaf)
    return statesOf(edge.source).filter((node) => isLeaf(node) && this.reached.has(node) && !isEnd(node))
  }

  /** Leaves that steps lead to, and all that those lead to, by ways that `follow` lets pass. */
  closure(from: Iterable<AnyStateNode>, follow: (edge: Edge, leaf: AnyStateNode) => boolean): Set<AnyStateNode> {
    const found = new Set(from)
    for (const leaf of found) {
      for (const edge of this.waysOut(leaf)) {
        if (follow(edge, leaf)) for (const next of this.leavesAfter(leaf, edge)) found.add(next)
      }
    }
    return found
  }

  #reach(): Set<AnyStateNode> {
    const reached = new Set(this.birth.entered)
    for (let before = -1; before < reached.size; ) {
      before = reached.size
      for (const node of reached) {
        for (const edge of this.edges(node)) {
          if (endsNever(edge, reached)) continue
          for (const next of this.step(edge).entered) reached.add(next)
          for (const target of edge.targets ?? []) if (target.type === 'history') reached.add(target)
        }
      }
    }
    return reached
  }

  #left(edge: Edge): readonly AnyStateNode[] {
    if (edge.targets === undefined) return []
    const domain = domainOf(edge)
    const top = around(edge.source).find(({ parent }) => parent === domain)
    // A way within its own state leaves what is inside.
    const inside = top === undefined ? statesOf(edge.source).slice(1) : statesOf(top)
    const isActive = (node: AnyStateNode): boolean => isBelow(node, edge.source) || around(edge.source).includes(node)
    return inside.filter((node) => node.type !== 'history' && isActive(node))
  }

  /** A leaf, the states around it, and all that may be active in regions beside it. */
  #activeWith(leaf: AnyStateNode): readonly AnyStateNode[] {
    const path = around(leaf)
    const beside = path.flatMap((node) => (node.type === 'parallel' ? childrenOf(node) : []))
    return [...path, ...beside.filter((region) => !path.includes(region)).flatMap(statesOf)]
  }
}

/** A state and those around it, innermost first. */
export function around(node: AnyStateNode): readonly AnyStateNode[] {
  return remembered(paths, node, () => [node, ...(node.parent === undefined ? [] : around(node.parent))])
}

const paths = new WeakMap<AnyStateNode, readonly AnyStateNode[]>()

/** What was made of a key before, or is made now. */
export function remembered<K extends object, V>(made: Pick<WeakMap<K, V>, 'get' | 'set'>, key: K, make: () => V): V {
  const known = made.get(key)
  if (known !== undefined) return known
  const value = make()
  made.set(key, value)
  return value
}

export function isLeaf({ type }: AnyStateNode): boolean {
  return type === 'atomic' || type === 'final'
}

/** Whether the entity is done in it. */
export function isEnd({ type, parent }: AnyStateNode): boolean {
  return type === 'final' && (parent === undefined || parent.parent === undefined) && parent?.type !== 'parallel'
}

export function childrenOf(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states as Record<string, AnyStateNode>).filter(({ type }) => type !== 'history')
}

/** The states entered with a state, when these inside it are meant: it comes first. */
export function enter(node: AnyStateNode, targets: readonly AnyStateNode[]): readonly AnyStateNode[] {
  const below = targets.filter((target) => isBelow(target, node))
  if (node.type === 'parallel') return [node, ...childrenOf(node).flatMap((child) => enter(child, below))]
  if (node.type !== 'compound') return [node]
  const meant = below.length > 0 ? below : resolved(node.initial.target)
  const chosen = childrenOf(node).filter((child) => meant.some((target) => target === child || isBelow(target, child)))
  return [node, ...chosen.flatMap((child) => enter(child, meant))]
}

/** How a state is called in a finding: its path, or the machine itself. */
export function labelOf(node: AnyStateNode): string {
  return node.path.length === 0 ? 'any state' : node.path.join('.')
}

function edgesOf(node: AnyStateNode): readonly Edge[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(
    ({ eventType, guard, actions, target, reenter }) => ({
      source: node,
      key: String(eventType ?? ''),
      guarded: guard !== undefined,
      actions,
      targets: target as readonly AnyStateNode[] | undefined,
      reenter: reenter === true,
    }),
  )
}

function enteredBy(edge: Edge): readonly AnyStateNode[] {
  if (edge.targets === undefined) return []
  const targets = resolved(edge.targets)
  const domain = domainOf(edge)
  return domain === undefined ? enter(edge.source.machine.root, targets) : enter(domain, targets).slice(1)
}

/** The innermost state that a way does not leave, as XState has it. */
function domainOf({ source, targets, reenter }: Edge): AnyStateNode | undefined {
  const all = resolved(targets ?? [])
  if (!reenter && all.every((target) => target === source || isBelow(target, source))) return source
  const common = around(source)
    .slice(1)
    .find((node) => all.every((target) => isBelow(target, node)))
  return common ?? (reenter ? undefined : source.machine.root)
}

/** History stands for where it leads the first time: what it remembers was reached before. */
function resolved(targets: readonly AnyStateNode[]): readonly AnyStateNode[] {
  return targets.flatMap((target) => (target.type === 'history' ? firstOf(target) : [target]))
}

function firstOf(history: AnyStateNode): readonly AnyStateNode[] {
  const { parent } = history
  if (parent === undefined) return []
  const targets = [history.config.target ?? []].flat() as readonly string[]
  if (targets.length > 0) return resolved(targets.flatMap((target) => byName(parent, target)))
  return parent.type === 'parallel' ? [parent] : resolved(parent.initial.target)
}

function byName(parent: AnyStateNode, target: string): readonly AnyStateNode[] {
  if (target.startsWith('#')) return statesOf(parent.machine.root).filter(({ id }) => `#${id}` === target)
  const path = [...parent.path, ...target.split('.')].join('.')
  return statesOf(parent).filter((node) => node.path.join('.') === path)
}

function isBelow(node: AnyStateNode, above: AnyStateNode): boolean {
  return node !== above && around(node).includes(above)
}

function entriesOf(entered: readonly AnyStateNode[]): readonly unknown[] {
  return entered.flatMap((node) => [...node.entry, ...(node.type === 'compound' ? node.initial.actions : [])])
}

/** `onDone` of a state that comes to no end is no way out. */
function endsNever({ key, source }: Edge, reached: ReadonlySet<AnyStateNode>): boolean {
  return key === `xstate.done.state.${source.id}` && !canEnd(source, reached)
}

function canEnd(node: AnyStateNode, reached: ReadonlySet<AnyStateNode>): boolean {
  if (node.type === 'compound') return childrenOf(node).some((each) => each.type === 'final' && reached.has(each))
  if (node.type === 'parallel') return childrenOf(node).every((each) => canEnd(each, reached))
  return node.type === 'final'
}
