// components.ts: the strongly connected components of a graph (Tarjan, 1972), without recursion.

/** Of each node the number of its component; components are numbered so that edges lead to lower numbers or stay. */
export interface Components {
  readonly of: Int32Array
  readonly count: number
}

export function components(size: number, targets: (node: number) => readonly number[]): Components {
  const of = new Int32Array(size).fill(-1)
  const index = new Int32Array(size).fill(-1)
  const low = new Int32Array(size)
  const open: number[] = []
  let next = 0
  let count = 0
  for (let root = 0; root < size; root += 1) {
    if (index[root] !== -1) continue
    const visits: { readonly node: number; readonly to: readonly number[]; at: number }[] = []
    const enter = (node: number): void => {
      index[node] = next
      low[node] = next
      next += 1
      open.push(node)
      visits.push({ node, to: targets(node), at: 0 })
    }
    enter(root)
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const { node, to } = visit
      const target = to[visit.at]
      visit.at += 1
      if (target === undefined) {
        visits.pop()
        const parent = visits.at(-1)
        if (parent !== undefined) low[parent.node] = Math.min(low[parent.node] as number, low[node] as number)
        if (low[node] === index[node]) {
          for (let member = open.pop(); member !== undefined; member = open.pop()) {
            of[member] = count
            if (member === node) break
          }
          count += 1
        }
      } else if (index[target] === -1) enter(target)
      else if (of[target] === -1) low[node] = Math.min(low[node] as number, index[target] as number)
    }
  }
  return { of, count }
}

/** Components that nothing leaves: once there, the system stays there. */
export function closed({ of, count }: Components, targets: (node: number) => readonly number[]): ReadonlySet<number> {
  const left = new Set<number>()
  for (let node = 0; node < of.length; node += 1) {
    if (targets(node).some((target) => of[target] !== of[node])) left.add(of[node] as number)
  }
  return new Set(Array.from({ length: count }, (_, component) => component).filter((each) => !left.has(each)))
}
