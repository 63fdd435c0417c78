// descriptor.ts: which messages a key of `on` takes.

/** XState's matching of `on` keys: exact, `*`, or `name.*`. */
export function matches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true
  return descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1))
}
